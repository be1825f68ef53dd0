"""A backend for django-easy-audit: its logins, changes and requests become logs.

DJANGO_EASY_AUDIT_LOGGING_BACKEND = "ingest.capture.easyaudit.LogsiteBackend"
"""

import functools
import io
import json
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core import serializers
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import request_started
from django.db.models import Model
from django.http import HttpRequest
from easyaudit.middleware.easyaudit import get_current_request
from easyaudit.settings import DATABASE_ALIAS

from ingest import address, context
from ingest.capture.changes import hidden_fields, is_captured, label_of, object_fields, visible_changes
from ingest.capture.event_fields import (
    EASYAUDIT_FAILED,
    EASYAUDIT_TYPES,
    easyaudit_changes,
    easyaudit_event,
    is_login_update,
    login_fields,
)
from ingest.capture.transaction import send, warn
from ingest.request_fields import REQUEST_ID_KEY, address_settings, request_context, request_id

Info = Mapping[str, Any]

# The WSGI environment or the ASGI scope of the request that is starting in this thread.
_started: ContextVar[tuple[Any, Any]] = ContextVar("logsite_started", default=(None, None))


def _never_raise(method: Callable[[Any, Info], None]) -> Callable[[Any, Info], None]:
    """Log a warning if a method fails. django-easy-audit does not catch errors of `request`."""

    @functools.wraps(method)
    def wrapper(self: Any, info: Info) -> None:
        try:
            method(self, info)
        except Exception as error:  # noqa: BLE001  capture is never a reason to fail a request
            warn(error)

    return wrapper


class LogsiteBackend:
    """Sends each event of django-easy-audit as a log. No method raises.

    Raise ImproperlyConfigured at the start if a setting is invalid.
    """

    def __init__(self) -> None:
        hidden_fields()
        address_settings()

    @_never_raise
    def login(self, login_info: Info) -> None:
        """Send a log of a login or logout.

        A failed login is sent at once, the others when the transaction is committed.
        """
        kind = login_info["login_type"]
        fields = login_fields(kind, login_info.get("username"))
        if kind == EASYAUDIT_FAILED:
            _send(fields, login_info, using=None)
        else:
            _send(fields, login_info)

    @_never_raise
    def crud(self, crud_info: Info) -> None:
        """Send a log of a created, changed or deleted object.

        django-easy-audit calls this after the commit. It passes the object with all its fields.
        """
        content_type = ContentType.objects.get_for_id(crud_info["content_type_id"])
        model = content_type.model_class()
        if model is None or not is_captured(model):
            return
        event_type = crud_info["event_type"]
        is_relation = event_type not in EASYAUDIT_TYPES
        kind = EASYAUDIT_TYPES.get(event_type, "update")
        [obj] = json.loads(crud_info["object_json_repr"])
        changes = easyaudit_changes(event_type, obj["fields"], _changed_fields(crud_info))
        if kind == "update" and not is_relation and (not changes or is_login_update(changes)):
            return
        visible = visible_changes(model, changes)
        names = object_fields(model, crud_info["object_id"], crud_info["object_repr"], obj["fields"])
        fields = easyaudit_event(kind, label_of(model), visible, names, has_changes=bool(changes))
        _send(fields, crud_info, subject=_instance(crud_info["object_json_repr"]))

    @_never_raise
    def request(self, request_info: Info) -> None:
        """Send a log of a request, before Django processes it."""
        request = _started_request()
        fields = {"type": "request", "sub_type": request_info["method"] or ""}
        if request is None:
            fields["url"] = str(request_info["url"])
        _send(fields, request_info, using=None, request=request)


def _send(
    fields: dict[str, Any],
    info: Info,
    *,
    subject: Model | None = None,
    using: str | None = DATABASE_ALIAS,
    request: HttpRequest | None = None,
) -> None:
    """Send a log of an event, with the user that django-easy-audit names and the fields of the request."""
    log_context = request_context(request) if request else context.current() or _current_context()
    if info.get("user_id") is not None:
        fields |= {"user_id": info["user_id"], "submitter_id": info["user_id"]}
    if log_context is None and info.get("remote_ip"):
        _, _, detail = address_settings()
        if ip := address.format_address(address.parse(info["remote_ip"]), detail):
            fields["submitter_ip"] = ip
    with context.bind(log_context):
        send(fields, subject=subject, using=using)


def _current_context() -> context.LogContext | None:
    """Return the context of the request that EasyAuditMiddleware stored, or None."""
    request = get_current_request()
    return request_context(request) if isinstance(request, HttpRequest) else None


def _changed_fields(info: Info) -> dict[str, Any]:
    """Return the changed fields: text of an update, a dictionary or an empty list of a relation."""
    changed = info.get("changed_fields") or {}
    return (json.loads(changed) if isinstance(changed, str) else dict(changed)) or {}


def _instance(serialized: str) -> Model | None:
    """Return the changed object, built from its serialization without the database, or None."""
    try:
        [deserialized] = serializers.deserialize("json", serialized, ignorenonexistent=True)
    except (serializers.base.DeserializationError, LookupError, TypeError, ValueError):
        return None
    instance: Model = deserialized.object
    return instance


def _remember(environ: Any = None, scope: Any = None, **kwargs: Any) -> None:
    _started.set((environ, scope))


def _started_request() -> HttpRequest | None:
    """Return the request that is starting, for its headers, address and ids. Return None if it is invalid.

    Django creates its own object later, which shares the request id.
    """
    environ, scope = _started.get()
    _started.set((None, None))
    try:
        if scope is not None:
            return ASGIRequest(scope, io.BytesIO())
        if environ is not None:
            # A copy, because WSGIRequest decodes PATH_INFO in place, which works once.
            request = WSGIRequest(dict(environ))
            environ.setdefault(REQUEST_ID_KEY, request_id(request))
            return request
    except (KeyError, UnicodeError, ValueError):
        pass  # Django refuses such a request itself
    return None


# django-easy-audit imports its backend before it connects its own receiver. This one runs first.
request_started.connect(_remember, dispatch_uid="logsite_capture")
