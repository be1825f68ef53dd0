"""The fields of a log that come from a Django request."""

import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any, get_args

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, SynchronousOnlyOperation
from django.http import HttpRequest
from ua_parser import parse

from ingest import address, trace
from ingest.context import NO_ONE, LogContext, UserNotLoaded

# CloudFront adds these headers if its origin request policy includes them:
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/adding-cloudfront-headers.html
COUNTRY_HEADERS = ("CloudFront-Viewer-Country-Name", "CloudFront-Viewer-Country")
CITY_HEADERS = ("CloudFront-Viewer-City",)

# Where a request keeps its id. Names of headers begin with HTTP_, so no client can set it.
REQUEST_ID_KEY = "logsite.request_id"


def request_context(request: HttpRequest) -> LogContext:
    """Return the context of a request. Nothing is read from the database yet."""
    # The id is chosen now: two threads may need it at once, and must get the same one.
    request_id(request)
    return LogContext(partial(request_fields, request), partial(user_fields, request))


def request_fields(request: HttpRequest) -> dict[str, Any]:
    """Return the fields that stay the same during a request: url, submitter, address, ids.

    An address or a trace id that is missing is left out. The settings LOGS_COUNTRY_HEADER, LOGS_CITY_HEADER,
    LOGS_IP, LOGS_IP_HEADER and LOGS_TRUSTED_PROXIES apply. Raise ImproperlyConfigured if the last three are
    invalid.
    """
    agent = request.headers.get("User-Agent")
    # The header is untrusted. The parser raises on lone surrogates.
    parsed = parse((agent or "").encode(errors="replace").decode())
    headers = request.headers
    optional = {
        "submitter_ip": submitter_ip(request),
        "trace_id": trace.trace_id(headers.get("traceparent", ""), headers.get("X-Amzn-Trace-Id", "")),
    }
    return {
        "url": request.get_full_path(),
        "submitter_country": _header(request, "LOGS_COUNTRY_HEADER", COUNTRY_HEADERS),
        "submitter_city": _header(request, "LOGS_CITY_HEADER", CITY_HEADERS),
        "submitter_platform": parsed.os.family if parsed.os else None,
        "submitter_browser": parsed.user_agent.family if parsed.user_agent else None,
        "submitter_agent": agent,
        "request_id": request_id(request),
        **{name: value for name, value in optional.items() if value is not None},
    }


def user_fields(request: HttpRequest) -> dict[str, Any]:
    """Return the fields of the signed-in user, or those of no one.

    Raise UserNotLoaded in an async view that has not loaded its user.
    """
    user = getattr(request, "user", None)
    try:
        return fields_of_user(user if user is not None and user.is_authenticated else None)
    except SynchronousOnlyOperation:
        # `await request.auser()` stores the user here.
        user = getattr(request, "_acached_user", None)
        if user is None:
            text = "an async view must await request.auser() before it logs, or pass user_id=…"
            raise UserNotLoaded(text) from None
        return fields_of_user(user if user.is_authenticated else None)


def fields_of_user(user: Any) -> dict[str, Any]:
    """Return the fields of a user. None is no one.

    The account is the user's attribute `account_id`, with the name `account_name`, if it has them.
    """
    if user is None:
        return {**NO_ONE, "submitter_id": None}
    fields = {
        "account_id": getattr(user, "account_id", None) or 0,
        "user_id": 0 if user.pk is None else user.pk,
        "submitter_id": user.pk,
    }
    names = {"user_name": user_name(user), "account_name": getattr(user, "account_name", None)}
    return fields | {name: str(value) for name, value in names.items() if value}


def user_name(user: Any) -> str | None:
    """Return the name that a user signs in with, or None."""
    get_username = getattr(user, "get_username", None)
    return str(get_username()) if callable(get_username) else None


def request_id(request: HttpRequest) -> str:
    """Return the id of a request, the same one at each call.

    It is the header X-Request-ID if that is printable and at most 200 bytes long, or the id of API Gateway's
    request, or else a new one, 32 hex digits.
    """
    # In ASGI the scope, because django-easy-audit logs a request before Django creates its object.
    store: dict[str, Any] = getattr(request, "scope", request.META)
    value: str = store.get(REQUEST_ID_KEY) or store.setdefault(
        REQUEST_ID_KEY,
        trace.parse_request_id(request.headers.get("X-Request-ID"))
        or trace.parse_request_id(_gateway_context(request).get("requestId"))
        or uuid.uuid4().hex,
    )
    return value


def submitter_ip(request: HttpRequest) -> str | None:
    """Return the client's address as the setting LOGS_IP wants it, or None.

    - The header that LOGS_IP_HEADER names, or X-Forwarded-For behind LOGS_TRUSTED_PROXIES.
    - If it is missing: on Lambda API Gateway's `sourceIp`, because Zappa's REMOTE_ADDR comes from a header
      that the client can send. Elsewhere REMOTE_ADDR.

    Raise ImproperlyConfigured if a setting is invalid.
    """
    header, proxies, detail = address_settings()
    text = None
    if header and (value := request.headers.get(header)):
        text = address.from_header(header, value)
    elif proxies and (value := request.headers.get("X-Forwarded-For")):
        text = address.forwarded(value, proxies)
    if text is None:
        text = _remote_address(request)
    return address.format_address(address.parse(text), detail)


def address_settings() -> tuple[str | None, int, address.Detail]:
    """Return LOGS_IP_HEADER, LOGS_TRUSTED_PROXIES and LOGS_IP.

    Raise ImproperlyConfigured with the setting, the rule and the value if one of them is invalid.
    """
    header = getattr(settings, "LOGS_IP_HEADER", None)
    proxies = getattr(settings, "LOGS_TRUSTED_PROXIES", 0)
    detail: address.Detail = getattr(settings, "LOGS_IP", "full")
    if header is not None and (not isinstance(header, str) or not header):
        raise ImproperlyConfigured(f"LOGS_IP_HEADER must be the name of a header, not {header!r}")
    if isinstance(proxies, bool) or not isinstance(proxies, int) or proxies < 0:
        raise ImproperlyConfigured(f"LOGS_TRUSTED_PROXIES must be a number of proxies, not {proxies!r}")
    if header and proxies:
        raise ImproperlyConfigured("Set LOGS_IP_HEADER or LOGS_TRUSTED_PROXIES, not both")
    if detail not in get_args(address.Detail):
        raise ImproperlyConfigured(f"LOGS_IP must be full, truncated or off, not {detail!r}")
    return header, proxies, detail


def _remote_address(request: HttpRequest) -> str:
    if not _lambda_event(request):
        return str(request.META.get("REMOTE_ADDR") or "")
    context = _gateway_context(request)
    # REST APIs have `identity`, HTTP APIs and function URLs `http`.
    for name in ("identity", "http"):
        if isinstance(part := context.get(name), Mapping) and isinstance(part.get("sourceIp"), str):
            return str(part["sourceIp"])
    return ""


def _gateway_context(request: HttpRequest) -> Mapping[str, Any]:
    """Return the `requestContext` of API Gateway's event. It is empty without API Gateway."""
    context = _lambda_event(request).get("requestContext")
    return context if isinstance(context, Mapping) else {}


def _lambda_event(request: HttpRequest) -> Mapping[str, Any]:
    """Return the event of a Lambda function. Zappa stores it in the WSGI environment or the ASGI scope."""
    event = request.META.get("lambda.event") or getattr(request, "scope", {}).get("lambda.event")
    return event if isinstance(event, Mapping) else {}


def _header(request: HttpRequest, setting: str, default_names: tuple[str, ...]) -> str | None:
    """Return the first header that exists.

    The setting names one header. Without it, the default names apply.
    """
    names = [getattr(settings, setting)] if getattr(settings, setting, None) else default_names
    return next((value for name in names if (value := request.headers.get(name))), None)
