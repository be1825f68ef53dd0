"""What every request of the site goes through, beside Django's own."""

import logging
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.loader import render_to_string

from logs import reader
from logsite import log_lines

HEALTH = "/healthz"
RETRY_AFTER_SECONDS = 5

logger = logging.getLogger(__name__)


class RequestLineMiddleware:
    """Write a line for each request, and put its ids into all lines until the next one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Note the ids, pass the request on, and say what came of it, without the query string."""
        log_lines.note_request(request.META.get("lambda.event"), request.META.get("lambda.context"))
        began = time.monotonic()
        response = self.get_response(request)
        milliseconds = round((time.monotonic() - began) * 1000)
        logger.info("%s %s %s %s ms", request.method, request.path, response.status_code, milliseconds)
        return response


class HealthMiddleware:
    """Answer `/healthz` to anybody, whatever host is asked for: that this process answers, and no more."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or pass the request on. It reads nothing from DynamoDB: asking is free."""
        if request.path_info != HEALTH:
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return HttpResponse("ok", content_type="text/plain", headers={"Cache-Control": "no-store"})


class StoreAwayMiddleware:
    """Say in a sentence that DynamoDB is away: sessions and users lie there too, and are read in the view."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer 503 where a view met PynamoDB's or botocore's error; leave any other to Django."""
        if not isinstance(error, reader.STORE_ERRORS):
            return None
        logger.error(reader.AWAY, error)
        # Without the request: who is signed in, and the messages for them, are what cannot be read.
        page = render_to_string("503.html")
        return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
