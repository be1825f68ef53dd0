"""The listing and the detail as JSON."""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_safe
from ninja import NinjaAPI, Router, security
from ninja.errors import AuthorizationError, HttpError
from ninja.openapi.docs import Swagger

from logs import conf, cursor, reader, signals
from logs.apps import view_permission
from logs.characters import visible
from logs.fields import MAX_QUOTED
from logs.forms import FilterForm
from logs.pages import schemas
from logs.permissions import reads_own_accounts
from logs.reading.budget import Cost
from logs.requests import check_request, reason
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
# An eventually consistent read of 8 KB is one read unit:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
BYTES_PER_UNIT = 8192
ITEMS_PER_UNIT = 8  # in an index, at 1 KB each
# A log has at most 1 MiB, as SQS allows.
LOG_BOUND = Cost(examined=1, read_units=2**20 / BYTES_PER_UNIT)
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


@contextmanager
def metered(request: HttpRequest, bound: Cost) -> Iterator[Cost]:
    """Reserve the bound in the request's rate limit; settle the cost afterwards.

    The block adds to the cost that this yields. If it raises, the cost is unknown and the whole reservation
    counts.
    """
    auth = getattr(request, "auth", None)
    cost = Cost()
    if reserve := getattr(auth, "reserve", None):
        reserve(bound.examined, bound.read_units)
    yield cost
    if settle := getattr(auth, "settle", None):
        settle(cost.examined, cost.read_units)


def page_bound() -> Cost:
    """Return the most that a page may cost."""
    budget = conf.budget()
    read_units = (
        budget.examined / ITEMS_PER_UNIT + budget.payloads / 2 + budget.payload_bytes / BYTES_PER_UNIT
    )
    return Cost(examined=budget.examined, read_units=read_units)


router = Router()


def listing(request: HttpRequest) -> Any:
    """Return the page of logs that the query string asks for."""
    with metered(request, page_bound()) as cost:
        return _listing(request, cost)


def _listing(request: HttpRequest, cost: Cost) -> Any:
    includes_own = _includes_own(request)
    raw = request.META["QUERY_STRING"]
    form = FilterForm(request.GET, strict=True, raw=raw, includes_own=includes_own)
    if not form.is_valid():
        return invalid(form.errors_by_parameter())
    if id_search := reader.search_id(form.log_filter, includes_own=includes_own):
        cost += id_search.cost
        if item := id_search.item:
            signals.log_opened.send_robust(sender=router, request=request, log_id=item.id, via="api")
            return schemas.page_of_one(item, cost, id_search)
    try:
        result = reader.read(form.query(), conf.budget())
    except cursor.BadCursor as raised:
        return invalid({"cursor": [f"{raised}."]})
    except reader.LogNotFound:
        return invalid({"around": [NO_SUCH_LOG]})
    cost += result.page.cost
    signals.logs_read.send_robust(sender=router, request=request, query=result.query, via="api")
    return schemas.page(result, cost, id_search)


def detail(request: HttpRequest, log_id: str) -> Any:
    """Return one log with every field."""
    with metered(request, LOG_BOUND) as cost:
        return _detail(request, log_id, cost)


def _detail(request: HttpRequest, log_id: str, cost: Cost) -> Any:
    if request.GET:
        return invalid({name[:MAX_QUOTED]: ["A single log takes no parameters."] for name in request.GET})
    item, log_cost = reader.get_with_cost(log_id, includes_own=_includes_own(request))
    cost += log_cost
    if item is None:
        return error(404, NO_SUCH_LOG)
    signals.log_opened.send_robust(sender=router, request=request, log_id=item.id, via="api")
    # Not through the schema: its fields would be built as Python values.
    return HttpResponse(schemas.whole(item), content_type="application/json")


def _includes_own(request: HttpRequest) -> bool:
    """Return whether the request may read logs of Logsite's own accounts.

    The object that authenticated it decides. A session beside a token gives no rights.
    """
    return reads_own_accounts(getattr(request, "auth", None))


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
    description=schemas.PATHS,
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

    `auth` authenticates requests: each is tried in turn, as in django-ninja. An object that it returns reads
    the logs of Logsite's own accounts if its attribute `is_superuser` is true. It may limit the requests,
    with two methods:

    - `reserve(examined, read_units)` is called once before anything is read, with the most that the request
      may cost. It raises django-ninja's Throttled to refuse the request.
    - `settle(examined, read_units)` is called after the request with its actual cost. It is not called if
      the request failed.
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
    for request_error in (BadRequest, SuspiciousOperation):
        api.add_exception_handler(request_error, lambda request, raised: error(400, reason(raised)))
    for store_error in (StoreUnavailable, *AWS_ERRORS):
        api.add_exception_handler(store_error, _unavailable)
    api.add_exception_handler(Exception, _unexpected)

    @api.api_operation(["GET", "HEAD"], "/openapi.json", include_in_schema=False, url_name="openapi-json")
    def openapi(request: HttpRequest) -> Any:
        with metered(request, Cost()):
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
        address = reverse(f"{api.urls_namespace}:openapi-json")
        # Without a validator: Swagger's own would get the address of the schema.
        settings = {**Swagger.default_settings, "url": address, "validatorUrl": None}
        page = template.render({"api": api, "swagger_settings": json.dumps(settings)}, request)
        return HttpResponse(page, headers={"Cache-Control": "no-store"})

    return [path("docs", docs, name="docs")]


def _read_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Refuse other methods than GET and HEAD with the error body, and forbid caching."""

    @wraps(view)
    def read(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            check_request(request)
        except BadRequest as raised:
            response = error(400, str(raised))
        else:
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
