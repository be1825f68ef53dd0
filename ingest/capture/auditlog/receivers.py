"""Receivers for the signals of django-auditlog."""

from typing import Any

from auditlog import get_logentry_model
from auditlog.signals import post_log
from django.db.models import Model
from django.db.models.signals import post_save

from ingest.capture.changes import hidden_fields, is_captured, label_of, object_fields, visible_changes
from ingest.capture.event_fields import AUDITLOG_TYPES, auditlog_event, auditlog_relations, is_login_update
from ingest.capture.transaction import database_of, send, warn
from ingest.request_fields import address_settings, fields_of_user


def connect() -> None:
    """Connect the receivers. Raise ImproperlyConfigured if a setting is invalid."""
    hidden_fields()
    address_settings()
    post_log.connect(send_change, dispatch_uid="logsite_capture")
    # post_log is not sent for many-to-many relations. There is only the row that django-auditlog saves.
    post_save.connect(send_relation, get_logentry_model(), dispatch_uid="logsite_capture")


def send_change(sender: type[Model], instance: Model, log_entry: Any, **kwargs: Any) -> None:
    """Send a log of a created, changed, deleted or accessed object. Never raise.

    django-auditlog sends its signal inside the transaction, also if it failed to save its row. Then
    `log_entry` is None, and there is no log.
    """
    try:
        if log_entry is not None:
            _send(instance, log_entry, kwargs.get("changes") or {})
    except Exception as error:  # noqa: BLE001  capture is never a reason to fail a request
        warn(error)


def send_relation(sender: type[Model], instance: Any, created: bool, raw: bool, **kwargs: Any) -> None:
    """Send a log of a changed many-to-many relation. Never raise. Cost: one query, for the object.

    `instance` is the row of django-auditlog.
    """
    try:
        changes = auditlog_relations(instance.changes or {})
        model = instance.content_type.model_class() if changes and created and not raw else None
        if model is not None:
            # In another database there may be no such object. The row names it anyway.
            owner = model._base_manager.filter(pk=instance.object_pk).first() or model(pk=instance.object_pk)
            _send(owner, instance, changes)
    except Exception as error:  # noqa: BLE001  as above
        warn(error)


def _send(instance: Model, entry: Any, changes: dict[str, Any]) -> None:
    model, kind = type(instance), AUDITLOG_TYPES[entry.action]
    is_own = issubclass(model, get_logentry_model())
    if is_own or not is_captured(model) or (kind == "update" and is_login_update(changes)):
        return
    visible = visible_changes(model, changes)
    # The instance's dictionary, because a deferred field would be read from the database.
    names = object_fields(model, entry.object_pk, entry.object_repr, vars(instance))
    fields = auditlog_event(kind, label_of(model), visible, names)
    # Without an actor, the user of the request applies.
    actor = entry.actor if entry.actor_id is not None else None
    send(fields | (fields_of_user(actor) if actor else {}), subject=instance, using=database_of(instance))
