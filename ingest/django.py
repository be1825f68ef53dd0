"""Log requests of a Django application: `log_request(request, type="login")`."""

import functools
import logging
import os
from typing import Any

from django.conf import settings
from django.core.exceptions import SynchronousOnlyOperation
from django.http import HttpRequest
from django.utils import timezone
from ua_parser import parse

from ingest.client import LogClient
from ingest.sending import local_time

# CloudFront adds these headers if its origin request policy includes them:
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/adding-cloudfront-headers.html
COUNTRY_HEADERS = ("CloudFront-Viewer-Country-Name", "CloudFront-Viewer-Country")
CITY_HEADERS = ("CloudFront-Viewer-City",)

logger = logging.getLogger(__name__)


class DjangoLogClient(LogClient):
    """A client that reads a naive `created_at` in Django's current time zone."""

    attach_zone = staticmethod(timezone.make_aware)


@functools.cache
def client() -> LogClient:
    """Return this process's DjangoLogClient, created at first use.

    The queue is LOGS_QUEUE_URL in Django's settings or in the environment. The client is strict if DEBUG is
    on, and masks the values that LOGS_MASK in Django's settings or in the environment names. The setting
    LOGS_CLIENT_OPTIONS, a dictionary, adds or overrides options. Raise ValueError if no queue is configured,
    or if LOGS_MASK is invalid.
    """
    mask = getattr(settings, "LOGS_MASK", None)
    options = {"strict": settings.DEBUG, "mask": mask, **getattr(settings, "LOGS_CLIENT_OPTIONS", {})}
    return DjangoLogClient(
        getattr(settings, "LOGS_QUEUE_URL", None) or os.environ.get("LOGS_QUEUE_URL"), **options
    )


def log_request(request: HttpRequest, *, type: str, sub_type: str = "", **fields: Any) -> str:  # noqa: A002  the field's name
    """Enqueue a log of a request. Return its id.

    These fields have defaults from the request, which `fields` overrides:

    - `url`: path and query string.
    - `user_id` and `submitter_id`: the signed-in user, otherwise 0 and None.
    - `account_id`: `request.user.account_id`, otherwise 0.
    - `submitter_country` and `submitter_city`: CloudFront's headers, or the headers that the settings
      LOGS_COUNTRY_HEADER and LOGS_CITY_HEADER name.
    - `submitter_platform`, `submitter_browser` and `submitter_agent`: the header User-Agent.

    A naive `created_at` is in Django's current time zone. An async view must pass `user_id`. Raise the same
    exceptions as `LogClient.enqueue`, such as ValueError for invalid fields if DEBUG is on.
    """
    user = _user(request, has_user_id="user_id" in fields)
    user_id = None if user is None else user.pk
    agent = request.headers.get("User-Agent")
    # The header is untrusted. The parser raises on lone surrogates.
    parsed = parse((agent or "").encode(errors="replace").decode())
    defaults: dict[str, Any] = {
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
    if "created_at" in fields:
        fields["created_at"] = local_time.to_utc(fields["created_at"], timezone.make_aware)
    return client().enqueue(**{**defaults, **fields})


def _user(request: HttpRequest, *, has_user_id: bool) -> Any:
    """Return the signed-in user, or None. Return None in an async view too, which cannot load a lazy user."""
    user = getattr(request, "user", None)
    try:
        return user if user is not None and user.is_authenticated else None
    except SynchronousOnlyOperation:
        if not has_user_id:
            logger.warning("a log of an async view has no user: pass user_id=(await request.auser()).pk")
        return None


def _header(request: HttpRequest, setting: str, default_names: tuple[str, ...]) -> str | None:
    """Return the first header that exists.

    The setting names one header. Without it, the default names apply.
    """
    names = [getattr(settings, setting)] if getattr(settings, setting, None) else default_names
    return next((value for name in names if (value := request.headers.get(name))), None)
