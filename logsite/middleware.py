"""The site's middleware: request log, health check, headers and error pages."""

import logging
import math
import time
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.loader import render_to_string

from logs.requests import check_request
from logs.storage import deadline
from logs.storage.errors import AWS_ERRORS, UNAVAILABLE
from logsite import log_lines
from logsite.accounts import prefetch
from logsite.accounts.throttle import TooManyAttempts
from logsite.actor import actor_of
from logsite.client_address import client_address

HEALTH_PATH = "/healthz"
RETRY_AFTER_SECONDS = 5
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
# Swagger's page has a `data:` image.
CONTENT_SECURITY_POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'"

logger = logging.getLogger(__name__)


class RequestLogMiddleware:
    """Log a line per request. Set the request's ids, and start its deadline and prefetch."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response.

        The line holds method, path, status, time, user or token, and client address, but no query string.
        """
        log_lines.set_request_ids(request.META.get("lambda.event"), request.META.get("lambda.context"))
        start = time.monotonic()
        with deadline.started(), prefetch.started(request):
            response = self.get_response(request)
        milliseconds = round((time.monotonic() - start) * 1000)
        logger.info(
            "%s %s %s %s ms %s address=%s",
            *(request.method, request.path, response.status_code, milliseconds),
            *(actor_of(request), client_address(request) or "-"),
        )
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


class MethodMiddleware:
    """Refuse TRACE and unknown methods. Django's views treat them as GET."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response, or a 405."""
        if request.method in METHODS:
            return self.get_response(request)
        if request.path_info.startswith("/api/"):
            # Imported here because it loads ninja, which only the API needs.
            from logs import api_errors

            return api_errors.error(405, headers={"Allow": "GET, HEAD"})
        return HttpResponseNotAllowed(METHODS)


class BadRequestMiddleware:
    """Return a 400 page that names the rule if Django cannot read the request.

    Django itself would respond with a bare text, or with a debug page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response, or a 400."""
        try:
            check_request(request)
        except BadRequest as error:
            logger.warning("Bad request: %s", error)
            if request.path_info.startswith("/api/"):
                # Imported here because it loads ninja, which only the API needs.
                from logs import api_errors

                return api_errors.error(400, str(error))
            # Rendered without the request, which cannot be read.
            return HttpResponse(render_to_string("400.html", {"message": str(error)}), status=400)
        return self.get_response(request)


class ResponseHeadersMiddleware:
    """Set the content security policy of every response, and forbid caching.

    Static files and the health check set their own Cache-Control.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response with the headers."""
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        # Django's debug pages have inline scripts.
        if not (settings.DEBUG and response.status_code in (404, 500)):
            response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        return response


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
        page = render_to_string("503.html", {"seconds": RETRY_AFTER_SECONDS})
        return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


class TooManyAttemptsMiddleware:
    """Return a 429 page if the throttle refuses to check a password."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the 429 page for TooManyAttempts, otherwise None."""
        if not isinstance(error, TooManyAttempts):
            return None
        minutes = math.ceil(error.seconds / 60)
        page = render_to_string("429.html", {"minutes": minutes})
        return HttpResponse(page, status=429, headers={"Retry-After": str(error.seconds)})
