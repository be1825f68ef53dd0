"""A changed object as fields of a log, without secrets."""

import hashlib
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db.models import Model

DEFAULT_HIDE = ("password", "token", "secret", "last_login")
# Signing in changes this field of the user. That is not a change by somebody.
LAST_LOGIN = "last_login"
# Rows of these apps describe changes themselves.
OWN_APPS = {"auditlog", "easyaudit"}

HIDDEN_SUMMARY = "Only hidden fields were changed."
MAX_ID_BYTES = 200
MAX_NAME_CHARACTERS = 1000
# A shorter text occurs in names by chance.
MIN_SECRET_CHARACTERS = 4

Changes = dict[str, list[Any]]


def hidden_fields() -> tuple[str, ...]:
    """Return the names of LOGS_CAPTURE_HIDE. Raise ImproperlyConfigured unless it is a list of names."""
    names = getattr(settings, "LOGS_CAPTURE_HIDE", DEFAULT_HIDE)
    if not isinstance(names, list | tuple | set | frozenset) or not all(
        isinstance(name, str) for name in names
    ):
        raise ImproperlyConfigured(f"LOGS_CAPTURE_HIDE must be a list of names of fields, not {names!r}")
    return tuple(name.lower() for name in names)


def is_hidden(name: str) -> bool:
    """Return whether a field is hidden: `token` hides `token`, `api_token`, `token_hash` and `tokens`."""
    words = f"_{name.lower()}_"
    return any(f"_{hidden}_" in words or f"_{hidden}s_" in words for hidden in hidden_fields())


def is_captured(model: type[Model]) -> bool:
    """Return whether changes of a model are logs.

    Rows of django-auditlog and django-easy-audit are not. Neither are sessions: their keys are secrets.
    """
    return model._meta.app_label not in OWN_APPS and not issubclass(model, AbstractBaseSession)


def visible_changes(model: type[Model], changes: Mapping[str, Any]) -> Changes:
    """Return `{field: [old, new]}` of the fields that are not hidden.

    They are in the order of the model. Both packages convert values to text. The text `None` becomes None
    again if the field can be empty.
    """
    visible = {name: value for name, value in changes.items() if not is_hidden(name)}
    order = {field.name: number for number, field in enumerate(model._meta.get_fields())}
    names = sorted(visible, key=lambda name: (order.get(name, len(order)), name))
    return {name: [_value(model, name, value) for value in visible[name]] for name in names}


def is_login_update(changes: Mapping[str, Any]) -> bool:
    """Return whether an update changed nothing but the time of the last login."""
    return changes.keys() == {LAST_LOGIN}


def object_fields(model: type[Model], pk: object, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that name an object.

    `values` are its values by field. A name in which a hidden value occurs is left out. A digest replaces a
    primary key that is hidden, or that a message does not accept.
    """
    secrets = [
        value
        for field, value in values.items()
        if is_hidden(field) and isinstance(value, str) and len(value) >= MIN_SECRET_CHARACTERS
    ]
    is_secret = is_hidden(model._meta.pk.name)
    fields = {
        "object_type": label_of(model),
        "object_id": _object_id(str(pk), is_secret or str(pk) in secrets),
    }
    if name and not is_secret and not any(secret in name for secret in secrets):
        fields["object_name"] = " ".join(name.split())[:MAX_NAME_CHARACTERS]
    return fields


def label_of(model: type[Model]) -> str:
    """Return `app_label.model` of a model. A proxy model has the label of its concrete model."""
    return (model._meta.concrete_model or model)._meta.label_lower


def _object_id(text: str, is_secret: bool) -> str:
    """Return an id as a message accepts it. A digest replaces a secret, long or unprintable one."""
    is_valid = (
        text.isprintable() and text == text.strip() and len(text.encode(errors="replace")) <= MAX_ID_BYTES
    )
    if is_valid and not is_secret:
        return text
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def _value(model: type[Model], name: str, value: Any) -> Any:
    if value != "None":
        return value
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return value
    return None if getattr(field, "null", False) else value
