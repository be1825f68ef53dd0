"""A changed object as fields of a log, without secrets."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db.models import Model

from ingest.capture import event_fields
from ingest.capture.event_fields import DEFAULT_HIDE, OWN_APPS, Changes


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
    return event_fields.is_hidden(name, hidden_fields())


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


def object_fields(model: type[Model], pk: object, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that name an object.

    `values` are its values by field. A name in which a hidden value occurs is left out. A digest replaces a
    primary key that is hidden, or that a message does not accept.
    """
    is_secret = is_hidden(model._meta.pk.name)
    return event_fields.object_fields(
        label_of(model), str(pk), name, values, hidden_fields(), is_secret=is_secret
    )


def label_of(model: type[Model]) -> str:
    """Return `app_label.model` of a model. A proxy model has the label of its concrete model."""
    return (model._meta.concrete_model or model)._meta.label_lower


def _value(model: type[Model], name: str, value: Any) -> Any:
    if value != "None":
        return value
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return value
    return None if getattr(field, "null", False) else value
