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
from ninja import NinjaAPI, Router, security
from ninja.errors import AuthorizationError, HttpError
from ninja.openapi.docs import Swagger

from logs import answer, cursor, reader, schemas
from logs.forms import FilterForm

RETRY_AFTER_SECONDS = 5
PERMISSION = "logs.view_log"
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
    403: "You may not read the logs.",
    404: "There is nothing at this address.",
    405: "This address can only be read: GET.",
    500: "Something went wrong here. It has been noted.",
    503: "The database does not answer. Nothing is lost: try again in a moment.",
}
ERRORS: dict[Any, Any] = {frozenset({400, 401, 403, 404, 405, 429, 500, 503}): schemas.Error}

logger = logging.getLogger(__name__)
Auth = Callable[[HttpRequest], Any]


class SessionAuth(security.SessionAuth):
    """Whoever is signed in to the admin and may read the logs there."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        """Return the user, or None where nobody is signed in. Raises AuthorizationError."""
        user = super().authenticate(request, key)
        if user and not user.has_perm(PERMISSION):
            raise AuthorizationError(message=MESSAGES[403])
        return user


def error(
    status: int,
    message: str = "",
    fields: dict[str, list[str]] | None = None,
    headers: dict[str, str] | None = None,
) -> HttpResponse:
    """Return an answer with the one error body, as schemas.Error describes it."""
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


def refused(fields: dict[str, list[str]]) -> HttpResponse:
    """Return the answer to wrong parameters, which names them."""
    told = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in fields.items())
    return error(400, told, fields)


router = Router()


def listing(request: HttpRequest) -> Any:
    """Return the page of logs that the query string asks for."""
    form = FilterForm(request.GET, strict=True)
    if not form.is_valid():
        return refused(form.errors_by_parameter())
    if (log_id := form.cleaned_data["q"]) and (item := reader.get(log_id)):
        return schemas.page_of_one(item)
    try:
        found = answer.read(form)
    except cursor.BadCursor as bad:
        return refused({"cursor": [f"{bad}."]})
    except answer.Gone:
        return refused({"around": ["There is no log with this id (any more)."]})
    note_examined(request, found.page.cost.examined)
    return schemas.page(found)


def note_examined(request: HttpRequest, examined: int) -> None:
    """Tell whoever let the request in how many items it looked at, where they count that."""
    count = getattr(getattr(request, "auth", None), "count_examined", None)
    if count and examined:
        count(examined)


def detail(request: HttpRequest, log_id: str) -> Any:
    """Return one log with every field."""
    if request.GET:
        return refused({name[:40]: ["One log takes no parameters."] for name in request.GET})
    item = reader.get(log_id)
    if item is None:
        return error(404, "There is no log with this id (any more).")
    return schemas.whole(item)


def not_found(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Say that there is nothing at an address of the API."""
    return error(404)


def _route(place: str, view: Callable[..., Any], **described: Any) -> None:
    """Route a view with and without the last slash: a redirect would cost a client a second request."""
    router.add_api_operation(place, ["GET"], view, **described)
    hidden = {"include_in_schema": False, "response": described["response"]}
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

    `auth` lets requests in: each is tried in turn, as in django-ninja. An object that it returns may have a
    method `count_examined(number)`, which is told how many items a page examined.
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
    api.add_exception_handler(SuspiciousOperation, lambda request, raised: error(400, str(raised)))
    for away in (reader.StoreUnavailable, *reader.STORE_ERRORS):
        api.add_exception_handler(away, _unavailable)
    api.add_exception_handler(Exception, _unexpected)

    @api.get("/openapi.json", include_in_schema=False, url_name="openapi-json")
    def openapi(request: HttpRequest) -> Any:
        return api.get_openapi_schema()

    return api


def urls(api: NinjaAPI) -> tuple[list[Any], str, str]:
    """Return what `path("api/", …)` takes: the API, its docs for those who may read the logs, and no more."""
    patterns, app_name, namespace = api.urls
    for pattern in patterns:
        if pattern.callback:
            pattern.callback = _reading(pattern.callback)

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
    """Route the docs where ninja's templates are found: its own page would load scripts from elsewhere."""
    try:
        template = get_template("ninja/swagger.html")
    except TemplateDoesNotExist:
        return []

    @login_required
    @permission_required(PERMISSION, raise_exception=True)
    def docs(request: HttpRequest) -> HttpResponse:
        told = {**Swagger.default_settings, "url": reverse(f"{api.urls_namespace}:openapi-json")}
        return HttpResponse(template.render({"api": api, "swagger_settings": json.dumps(told)}, request))

    return [path("docs", docs, name="docs")]


def _reading(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Refuse other methods than reading with our error body, and let nobody keep an answer."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            response = error(405, headers={"Allow": "GET, HEAD"})
        response["Cache-Control"] = "no-store"
        return response

    return answered


def _http_error(request: HttpRequest, raised: HttpError | type[HttpError]) -> HttpResponse:
    status, message = (raised.status_code, str(raised)) if isinstance(raised, HttpError) else (500, "")
    if status == HTTPStatus.UNAUTHORIZED:
        return error(401, headers={"WWW-Authenticate": "Bearer"})
    wait = getattr(raised, "wait", None)
    return error(status, message, headers={"Retry-After": str(wait)} if wait else None)


def _unavailable(request: HttpRequest, raised: Exception | type[Exception]) -> HttpResponse:
    logger.error(reader.AWAY, raised)
    return error(503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def _unexpected(request: HttpRequest, raised: Exception | type[Exception]) -> HttpResponse:
    logger.exception("an API request failed")
    return error(500)
