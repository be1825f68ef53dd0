"""The site's middleware: request log, health check, and the page for a DynamoDB failure."""

import logging
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.loader import render_to_string

from logs.storage.errors import AWS_ERRORS, UNAVAILABLE
from logsite import log_lines

HEALTH_PATH = "/healthz"
RETRY_AFTER_SECONDS = 5

logger = logging.getLogger(__name__)


class RequestLogMiddleware:
    """Log a line per request, and set the request's ids for its log lines."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response. The line holds method, path, status and time, but no query string."""
        log_lines.set_request_ids(request.META.get("lambda.event"), request.META.get("lambda.context"))
        start = time.monotonic()
        response = self.get_response(request)
        milliseconds = round((time.monotonic() - start) * 1000)
        logger.info("%s %s %s %s ms", request.method, request.path, response.status_code, milliseconds)
        return response


class HealthCheckMiddleware:
    """Respond to `/healthz` without a login and for any host, as health checks need."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return "ok" for the health check. It reads nothing from DynamoDB, so it costs nothing."""
        if request.path_info != HEALTH_PATH:
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return HttpResponse("ok", content_type="text/plain", headers={"Cache-Control": "no-store"})


class StoreUnavailableMiddleware:
    """Return a short 503 page if DynamoDB fails outside the pages of logs.

    Sessions and users are in DynamoDB too, and views read them lazily.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the 503 page for an error of PynamoDB or botocore, otherwise None."""
        if not isinstance(error, AWS_ERRORS):
            return None
        logger.error(UNAVAILABLE, error)
        # Rendered without the request, whose user and messages would be read from DynamoDB.
        page = render_to_string("503.html")
        return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
