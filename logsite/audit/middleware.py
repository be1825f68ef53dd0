"""The middleware of the audit trail."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from logsite.audit import trail


class AuditMiddleware:
    """Bind the request to its events. On Lambda, wait until their logs are sent.

    AWS freezes a Lambda function after its response, and with it the thread that sends logs. Elsewhere the
    thread sends them after the response.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response. If SQS is slow or unreachable, it waits for trail.FLUSH_SECONDS."""
        with trail.bound(request):
            response = self.get_response(request)
        if settings.ON_LAMBDA:
            trail.flush(request)
        return response
