"""The listing and the detail as JSON."""

import json
import logging
from collections.abc import Callable, Sequence
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_safe
from ninja import NinjaAPI, Router, security
from ninja.errors import AuthorizationError, HttpError
from ninja.openapi.docs import Swagger

from logs import conf, cursor, reader
from logs.apps import view_permission
from logs.characters import visible
from logs.fields import MAX_QUOTED
from logs.forms import FilterForm
from logs.pages import schemas
from logs.storage.errors import AWS_ERRORS, UNAVAILABLE, StoreUnavailable

RETRY_AFTER_SECONDS = 5
CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
}
MESSAGES = {
    401: "Send a valid token: Authorization: Bearer …",
    403: "You do not have permission to view this.",
    404: "Not found.",
    405: "This address is read-only: use GET.",
    500: "Internal error. It was logged.",
    503: "The database does not answer. Nothing is lost: try again in a moment.",
}
NO_SUCH_LOG = "There is no log with this ID."
ERRORS: dict[Any, Any] = {frozenset({400, 401, 403, 404, 405, 429, 500, 503}): schemas.Error}

logger = logging.getLogger(__name__)
Auth = Callable[[HttpRequest], Any]


class SessionAuth(security.SessionAuth):
    """Users who are signed in to the admin and may view the logs there."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        """Return the user, or None if nobody is signed in. Raises AuthorizationError."""
        user = super().authenticate(request, key)
        if user and not user.has_perm(view_permission()):
            raise AuthorizationError(message=MESSAGES[403])
        return user


def error(
    status: int,
    message: str = "",
    fields: dict[str, list[str]] | None = None,
    headers: dict[str, str] | None = None,
) -> HttpResponse:
    """Return a response with the error body that schemas.Error describes."""
    body = schemas.Error(
        error=schemas.Problem(
            code=CODES.get(status, "error"),
            message=message or MESSAGES.get(status, HTTPStatus(status).phrase),
            fields=fields or {},
        )
    )
    return HttpResponse(
        body.model_dump_json(), status=status, content_type="application/json", headers=headers
    )


def invalid(fields: dict[str, list[str]]) -> HttpResponse:
    """Return the response to invalid parameters, which names each of them."""
    message = "; ".join(f"{visible(name)}: {' '.join(texts)}" for name, texts in fields.items())
    return error(400, message, fields)


router = Router()


def listing(request: HttpRequest) -> Any:
    """Return the page of logs that the query string asks for."""
    form = FilterForm(request.GET, strict=True)
    if not form.is_valid():
        return invalid(form.errors_by_parameter())
    if (log_id := form.cleaned_data["q"]) and (item := reader.get(log_id)):
        return schemas.page_of_one(item)
    try:
        result = reader.read(form.query(), conf.budget())
    except cursor.BadCursor as raised:
        return invalid({"cursor": [f"{raised}."]})
    except reader.LogNotFound:
        return invalid({"around": [NO_SUCH_LOG]})
    count_examined(request, result.page.cost.examined)
    return schemas.page(result)


def count_examined(request: HttpRequest, examined: int) -> None:
    """Report the items that a page examined to the request's rate limit, if any."""
    count = getattr(getattr(request, "auth", None), "count_examined", None)
    if count and examined:
        count(examined)


def detail(request: HttpRequest, log_id: str) -> Any:
    """Return one log with every field."""
    if request.GET:
        return invalid({name[:MAX_QUOTED]: ["A single log takes no parameters."] for name in request.GET})
    item = reader.get(log_id)
    if item is None:
        return error(404, NO_SUCH_LOG)
    # Not through the schema: its fields would be built as Python values.
    return HttpResponse(schemas.whole(item), content_type="application/json")


def not_found(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Return 404 for an unknown address of the API."""
    return error(404)


def _route(place: str, view: Callable[..., Any], **options: Any) -> None:
    """Route a view with and without a final slash: a redirect would cost the client a second request."""
    router.add_api_operation(place, ["GET"], view, **options)
    hidden = {"include_in_schema": False, "response": options["response"]}
    router.add_api_operation(place, ["HEAD"], view, **hidden)
    router.add_api_operation(f"{place}/", ["GET", "HEAD"], view, **hidden)


_route(
    "",
    listing,
    response={200: schemas.LogPage, **ERRORS},
    operation_id="list_logs",
    summary="A page of logs",
    openapi_extra={"parameters": schemas.parameters()},
)
_route(
    "/{log_id}",
    detail,
    response={200: schemas.Log, **ERRORS},
    operation_id="get_log",
    summary="One log, whole",
)


def make_api(auth: Sequence[Auth] = (SessionAuth(),), namespace: str = "logs-api") -> NinjaAPI:
    """Return the API, to be mounted in a URLconf: `path("api/", urls(make_api()))`.

    `auth` authenticates requests: each is tried in turn, as in django-ninja. An object that it returns may
    have a method `count_examined(number)`, which gets the number of items that a page examined.
    """
    api = NinjaAPI(
        title="Logsite",
        version="1",
        description="The logs, as the pages of the admin show them.",
        openapi_url=None,
        docs_url=None,
        urls_namespace=namespace,
        auth=list(auth),
    )
    api.add_router("/logs", router)
    api.add_exception_handler(HttpError, _http_error)
    api.add_exception_handler(Http404, lambda request, _: not_found(request))
    api.add_exception_handler(SuspiciousOperation, lambda request, raised: error(400, visible(str(raised))))
    for store_error in (StoreUnavailable, *AWS_ERRORS):
        api.add_exception_handler(store_error, _unavailable)
    api.add_exception_handler(Exception, _unexpected)

    @api.api_operation(["GET", "HEAD"], "/openapi.json", include_in_schema=False, url_name="openapi-json")
    def openapi(request: HttpRequest) -> Any:
        return api.get_openapi_schema()

    return api


def urls(api: NinjaAPI) -> tuple[list[Any], str, str]:
    """Return the argument of `path("api/", …)`: the API, its docs and its 404.

    The docs are for users who may view the logs.
    """
    patterns, app_name, namespace = api.urls
    for pattern in patterns:
        if pattern.callback:
            pattern.callback = _read_only(pattern.callback)

    return (
        [
            path("", not_found),
            *_docs(api),
            *patterns,
            path("<path:rest>", not_found),
        ],
        app_name,
        namespace,
    )


def _docs(api: NinjaAPI) -> list[URLPattern]:
    """Route the docs if ninja's templates are installed: its own page would load scripts from elsewhere."""
    try:
        template = get_template("ninja/swagger.html")
    except TemplateDoesNotExist:
        return []

    @require_safe
    @login_required
    @permission_required(view_permission(), raise_exception=True)
    def docs(request: HttpRequest) -> HttpResponse:
        settings = {**Swagger.default_settings, "url": reverse(f"{api.urls_namespace}:openapi-json")}
        return HttpResponse(template.render({"api": api, "swagger_settings": json.dumps(settings)}, request))

    return [path("docs", docs, name="docs")]


def _read_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Refuse other methods than GET and HEAD with the error body, and forbid caching."""

    @wraps(view)
    def read(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            response = error(405, headers={"Allow": "GET, HEAD"})
        response["Cache-Control"] = "no-store"
        return response

    return read


def _http_error(request: HttpRequest, raised: HttpError | type[HttpError]) -> HttpResponse:
    status, message = (raised.status_code, str(raised)) if isinstance(raised, HttpError) else (500, "")
    if status == HTTPStatus.UNAUTHORIZED:
        return error(401, headers={"WWW-Authenticate": "Bearer"})
    wait = getattr(raised, "wait", None)
    return error(status, message, headers={"Retry-After": str(wait)} if wait else None)


def _unavailable(request: HttpRequest, raised: Exception | type[Exception]) -> HttpResponse:
    logger.error(UNAVAILABLE, raised)
    return error(503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def _unexpected(request: HttpRequest, raised: Exception | type[Exception]) -> HttpResponse:
    logger.exception("an API request failed")
    return error(500)
