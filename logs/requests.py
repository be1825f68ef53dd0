"""Requests that Django cannot read, and why."""

from django.conf import settings
from django.core.exceptions import BadRequest, DisallowedHost, SuspiciousOperation, TooManyFieldsSent
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError

from logs.characters import visible

# Django raises one of these when it reads the host, the query string or the form of a request. OSError is a
# lost connection.
ERRORS = (BadRequest, SuspiciousOperation, MultiPartParserError, OSError)
MAX_MESSAGE = 300


def check_request(request: HttpRequest) -> None:
    """Read the host, the query string and a form. Raises BadRequest, with a text for the sender.

    Django reads them at their first use, which may be in any view or middleware.
    """
    try:
        request.get_host()
        request.GET  # noqa: B018  parsed at its first use
        if request.method == "POST":
            request.POST  # noqa: B018  parsed at its first use
    except ERRORS as error:
        raise BadRequest(reason(error)) from error


def reason(error: Exception | type[Exception]) -> str:
    """Return the text of one of ERRORS. It names the rule."""
    match error:
        case TooManyFieldsSent():
            maximum = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
            return f"The request has more than {maximum:,} parameters (DATA_UPLOAD_MAX_NUMBER_FIELDS)."
        case DisallowedHost():
            return "This site does not serve the host name of the request: see ALLOWED_HOSTS."
        case OSError():
            return "The request is incomplete: the connection was lost."
    return visible(str(error)[:MAX_MESSAGE]) or "The request cannot be read."
