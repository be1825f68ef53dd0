"""Receivers for the signals of `django.contrib.auth`."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model, signals
from django.http import HttpRequest

from ingest.capture.event_fields import failed_login
from ingest.capture.transaction import database_of, send, warn
from ingest.request_fields import address_settings, fields_of_user, request_fields


def connect() -> None:
    """Connect the receivers. Raise ImproperlyConfigured if a setting is invalid."""
    address_settings()
    signals.user_logged_in.connect(send_login, dispatch_uid="logsite_capture")
    signals.user_logged_out.connect(send_logout, dispatch_uid="logsite_capture")
    signals.user_login_failed.connect(send_failure, dispatch_uid="logsite_capture")


def send_login(sender: object, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    """Send a log of a login, when the transaction is committed. Never raise."""
    _send_user("login", "success", request, user)


def send_logout(sender: object, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    """Send a log of a logout, unless nobody was signed in. Never raise."""
    if user is not None:
        _send_user("logout", "", request, user)


def send_failure(
    sender: object, credentials: Mapping[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """Send a log of a failed login. Never raise.

    It is sent at once, because the login failed even if the transaction is rolled back.
    """
    try:
        typed = credentials.get(get_user_model().USERNAME_FIELD) or credentials.get("username")
        send(failed_login(typed) | _request(request))
    except Exception as error:  # noqa: BLE001  capture is never a reason to fail a request
        warn(error)


def _send_user(kind: str, sub_type: str, request: HttpRequest | None, user: Any) -> None:
    try:
        fields = {"type": kind, "sub_type": sub_type, **fields_of_user(user), **_request(request)}
        send(fields, subject=user, using=database_of(user))
    except Exception as error:  # noqa: BLE001  as above
        warn(error)


def _request(request: HttpRequest | None) -> dict[str, Any]:
    return {} if request is None else request_fields(request)
