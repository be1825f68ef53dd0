"""The errors of the JSON API."""

import logging
from http import HTTPStatus

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError

from logs.characters import visible
from logs.pages import schemas
from logs.requests import reason
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

logger = logging.getLogger(__name__)


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


def not_found(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Return 404 for an unknown address of the API."""
    return error(404)


def handle_errors(api: NinjaAPI) -> None:
    """Let an API answer exceptions with the error body."""
    api.add_exception_handler(HttpError, _http_error)
    api.add_exception_handler(Http404, lambda request, _: not_found(request))
    for request_error in (BadRequest, SuspiciousOperation):
        api.add_exception_handler(request_error, lambda request, raised: error(400, reason(raised)))
    for store_error in (StoreUnavailable, *AWS_ERRORS):
        api.add_exception_handler(store_error, _unavailable)
    api.add_exception_handler(Exception, _unexpected)


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
