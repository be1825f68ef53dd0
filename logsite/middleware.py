"""What every request of the site goes through, beside Django's own."""

import logging
from collections.abc import Callable

from botocore.exceptions import BotoCoreError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from pynamodb.exceptions import PynamoDBException

RETRY_AFTER_SECONDS = 5

logger = logging.getLogger(__name__)


class StoreAwayMiddleware:
    """Say in a sentence that DynamoDB is away: sessions and users lie there too, and are read in the view."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer 503 where a view met PynamoDB's or botocore's error; leave any other to Django."""
        if not isinstance(error, PynamoDBException | BotoCoreError):
            return None
        logger.error("DynamoDB is away: %s", error)
        # Without the request: who is signed in, and the messages for them, are what cannot be read.
        page = render_to_string("503.html")
        return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
