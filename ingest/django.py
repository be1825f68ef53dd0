"""For a main application in Django: one call logs what a request did."""

import functools
import logging
import os
from typing import Any

from django.conf import settings
from django.core.exceptions import SynchronousOnlyOperation
from django.http import HttpRequest
from ua_parser import parse

from ingest.client import LogClient

# CloudFront adds these, where its origin request policy says so:
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/adding-cloudfront-headers.html
COUNTRY_HEADERS = ("CloudFront-Viewer-Country-Name", "CloudFront-Viewer-Country")
CITY_HEADERS = ("CloudFront-Viewer-City",)

logger = logging.getLogger(__name__)


@functools.cache
def client() -> LogClient:
    """Return the client of this process, made at its first use.

    Its queue is LOGS_QUEUE_URL, of Django's settings or of the environment; it is strict where DEBUG is on;
    further options are those of the setting LOGS_CLIENT_OPTIONS, a dictionary. Raises ValueError where no
    queue is named.
    """
    options = {"strict": settings.DEBUG, **getattr(settings, "LOGS_CLIENT_OPTIONS", {})}
    return LogClient(getattr(settings, "LOGS_QUEUE_URL", None) or os.environ.get("LOGS_QUEUE_URL"), **options)


def log_request(request: HttpRequest, *, type: str, sub_type: str = "", **fields: Any) -> str:  # noqa: A002  the field's name
    """Enqueue a log of a request; return its id.

    Fills what `fields` does not say: `url` (path and query string), `user_id` and `submitter_id` (of whoever
    is signed in, else 0 and none), `account_id` (`request.user.account_id`, else 0), country and city (of
    CloudFront's headers, or of those that the settings LOGS_COUNTRY_HEADER and LOGS_CITY_HEADER name),
    platform, browser and agent (of the header User-Agent). An async view says the user itself. Raises as
    `LogClient.enqueue`: with DEBUG on, ValueError for wrong fields.
    """
    user = _user(request, is_told="user_id" in fields)
    user_id = None if user is None else user.pk
    agent = request.headers.get("User-Agent")
    # An attacker's text: the parser refuses lone surrogates.
    parsed = parse((agent or "").encode(errors="replace").decode())
    found: dict[str, Any] = {
        "account_id": getattr(user, "account_id", None) or 0,
        "user_id": 0 if user_id is None else user_id,
        "type": type,
        "sub_type": sub_type,
        "url": request.get_full_path(),
        "submitter_id": user_id,
        "submitter_country": _header(request, "LOGS_COUNTRY_HEADER", COUNTRY_HEADERS),
        "submitter_city": _header(request, "LOGS_CITY_HEADER", CITY_HEADERS),
        "submitter_platform": parsed.os.family if parsed.os else None,
        "submitter_browser": parsed.user_agent.family if parsed.user_agent else None,
        "submitter_agent": agent,
    }
    return client().enqueue(**{**found, **fields})


def _user(request: HttpRequest, *, is_told: bool) -> Any:
    """Return who is signed in, or None; also where the caller cannot wait for the session to be read."""
    user = getattr(request, "user", None)
    try:
        return user if user is not None and user.is_authenticated else None
    except SynchronousOnlyOperation:
        if not is_told:
            logger.warning("a log of an async view is no one's: pass user_id=(await request.auser()).pk")
        return None


def _header(request: HttpRequest, setting: str, usual: tuple[str, ...]) -> str | None:
    names = [getattr(settings, setting)] if getattr(settings, setting, None) else usual
    return next((value for name in names if (value := request.headers.get(name))), None)
