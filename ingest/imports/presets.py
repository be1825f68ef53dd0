"""The tables of django-auditlog and django-easy-audit as logs, as live capture sends them."""

from collections.abc import Mapping as Fields
from dataclasses import dataclass, field
from typing import Any

from ingest import address
from ingest.capture.event_fields import (
    AUDITLOG_TYPES,
    DEFAULT_HIDE,
    EASYAUDIT_LOGIN,
    EASYAUDIT_TYPES,
    OWN_APPS,
    Changes,
    auditlog_event,
    auditlog_relations,
    easyaudit_changes,
    easyaudit_event,
    is_hidden,
    is_login_update,
    login_fields,
    object_fields,
)
from ingest.imports import values
from ingest.imports.rows import BadRow, Row

AUDITLOG, EASYAUDIT, TABLE = "auditlog", "easyaudit", "table"
NAMES = (AUDITLOG, EASYAUDIT, TABLE)
# The columns by which a table of a package is recognized.
AUDITLOG_COLUMNS = {"action", "object_pk", "object_repr", "changes", "timestamp", "content_type_id"}
CRUD_COLUMNS = {"event_type", "object_id", "object_json_repr", "datetime", "content_type_id"}
LOGIN_COLUMNS = {"login_type", "username", "datetime"}
REQUEST_COLUMNS = {"url", "method", "query_string", "datetime"}
SESSIONS = "sessions.session"
# Django's table of models, and its columns: the key, then those of a label.
CONTENT_TYPES = ("django_content_type", ("id", "app_label", "model"))


@dataclass(frozen=True)
class Labels:
    """The labels of models, `app_label.model`, by the key of their content type.

    A file has no second table: then the row has the columns `app_label` and `model`.
    """

    labels: dict[str, str] = field(default_factory=dict)

    def of(self, row: Row) -> str:
        """Return the label of a row's object. Raise BadRow if live capture sends no log of it.

        Live capture sends no log of a session, because its key is a secret.
        """
        label = self.labels.get(str(row.values["content_type_id"]))
        if label is None and (app := row.values.get("app_label")):
            label = f"{app}.{row.values.get('model')}"
        if label is None:
            raise BadRow(row.key, "content_type_id", "is no row of django_content_type")
        if label == SESSIONS or label.partition(".")[0] in OWN_APPS:
            raise BadRow(row.key, "content_type_id", f"is {label}, whose changes are no logs")
        return label


@dataclass(frozen=True)
class Auditlog:
    """Rows of `auditlog_logentry`."""

    labels: Labels
    name: str = AUDITLOG
    columns: frozenset[str] = frozenset(
        {
            *AUDITLOG_COLUMNS,
            *("app_label", "model", "actor_id", "object_id"),
            # As the changes, with hidden fields.
            *("changes_text", "serialized_data"),
        }
    )

    def columns_by_field(self) -> dict[str, str]:
        """Return the columns of the fields."""
        return {
            "created_at": "timestamp",
            **_user_columns("actor_id"),
            "type": "action",
            "object_id": "object_pk",
            "object_name": "object_repr",
        }

    def fields(self, row: Row) -> dict[str, Any]:
        """Return the fields that `ingest.capture.auditlog` sends for this row."""
        label = self.labels.of(row)
        kind = AUDITLOG_TYPES.get(_number(row, "action"))
        if kind is None:
            raise BadRow(row.key, "action", "is no action of django-auditlog")
        changes = _object(row, "changes")
        relations = auditlog_relations(changes)
        changes = relations or changes
        if kind == "update" and is_login_update(changes):
            raise BadRow(row.key, "changes", "has only the time of the last login, which is no log")
        pk, name = str(row.values["object_pk"]), str(row.values["object_repr"] or "")
        stored = _stored_fields([_object(row, "serialized_data")]) or _new_values(changes)
        names = object_fields(label, pk, name, stored, DEFAULT_HIDE, is_secret=False)
        visible = _visible(row, "changes", changes)
        return {
            **_user(row, "actor_id"),
            **auditlog_event(kind, label, visible, names),
            "created_at": row.values["timestamp"],
        }


@dataclass(frozen=True)
class EasyauditChanges:
    """Rows of `easyaudit_crudevent`."""

    labels: Labels
    name: str = EASYAUDIT
    columns: frozenset[str] = frozenset(
        {
            *CRUD_COLUMNS,
            *("app_label", "model", "object_repr", "changed_fields", "user_id", "user_pk_as_string"),
        }
    )

    def columns_by_field(self) -> dict[str, str]:
        """Return the columns of the fields."""
        return {
            "created_at": "datetime",
            **_user_columns("user_id"),
            "type": "event_type",
            "object_id": "object_id",
            "object_name": "object_repr",
        }

    def fields(self, row: Row) -> dict[str, Any]:
        """Return the fields that `ingest.capture.easyaudit` sends for this row."""
        label = self.labels.of(row)
        event_type = _number(row, "event_type")
        kind = EASYAUDIT_TYPES.get(event_type, "update")
        stored = _stored_fields(_parsed(row, "object_json_repr"))
        changes = easyaudit_changes(event_type, stored, _object(row, "changed_fields"))
        if kind == "update" and event_type in EASYAUDIT_TYPES and (not changes or is_login_update(changes)):
            raise BadRow(row.key, "changed_fields", "has no change but the last login, which is no log")
        name = str(row.values.get("object_repr") or "")
        names = object_fields(
            label, str(row.values["object_id"]), name, stored, DEFAULT_HIDE, is_secret=False
        )
        visible = _visible(row, "changed_fields", changes)
        # Without a user, there may be the key of a deleted one.
        user = row.values.get("user_id") or row.values.get("user_pk_as_string") or None
        return {
            **_user_fields(user),
            **easyaudit_event(kind, label, visible, names, has_changes=bool(changes)),
            "created_at": row.values["datetime"],
        }


@dataclass(frozen=True)
class EasyauditLogins:
    """Rows of `easyaudit_loginevent`."""

    name: str = EASYAUDIT
    columns: frozenset[str] = frozenset({*LOGIN_COLUMNS, "user_id", "remote_ip"})

    def columns_by_field(self) -> dict[str, str]:
        """Return the columns of the fields."""
        return {"created_at": "datetime", **_user_columns("user_id"), "user_name": "username"}

    def fields(self, row: Row) -> dict[str, Any]:
        """Return the fields that `ingest.capture.easyaudit` sends for this row."""
        kind = _number(row, "login_type")
        if kind not in range(EASYAUDIT_LOGIN, EASYAUDIT_LOGIN + 3):
            raise BadRow(row.key, "login_type", "is no login event of django-easy-audit")
        event = login_fields(kind, row.values["username"])
        return {**_user(row, "user_id"), **event, **_address(row), "created_at": row.values["datetime"]}


@dataclass(frozen=True)
class EasyauditRequests:
    """Rows of `easyaudit_requestevent`."""

    name: str = EASYAUDIT
    columns: frozenset[str] = frozenset({*REQUEST_COLUMNS, "user_id", "remote_ip"})

    def columns_by_field(self) -> dict[str, str]:
        """Return the columns of the fields."""
        return {
            "created_at": "datetime",
            **_user_columns("user_id"),
            "sub_type": "method",
            "url": "url",
        }

    def fields(self, row: Row) -> dict[str, Any]:
        """Return the fields that `ingest.capture.easyaudit` sends for this row."""
        url, query = str(row.values["url"] or ""), row.values["query_string"]
        return {
            **_user(row, "user_id"),
            "type": "request",
            "sub_type": row.values["method"] or "",
            "url": f"{url}?{query}" if query else url,
            **_address(row),
            "created_at": row.values["datetime"],
        }


Event = Auditlog | EasyauditChanges | EasyauditLogins | EasyauditRequests


def choose(name: str, columns: set[str], labels: Labels) -> Event | None:
    """Return the preset of a table by its columns, or None if the columns are of another table."""
    if name == AUDITLOG:
        return Auditlog(labels) if columns >= AUDITLOG_COLUMNS else None
    if columns >= CRUD_COLUMNS:
        return EasyauditChanges(labels)
    if columns >= LOGIN_COLUMNS:
        return EasyauditLogins()
    return EasyauditRequests() if columns >= REQUEST_COLUMNS else None


def _user_columns(column: str) -> dict[str, str]:
    return {"user_id": column, "submitter_id": column}


def _user(row: Row, column: str) -> dict[str, Any]:
    return _user_fields(row.values.get(column))


def _user_fields(user_id: object) -> dict[str, Any]:
    """Return the fields of a user. The account is that of no one: the tables have none."""
    return {"account_id": 0, "user_id": 0 if user_id is None else user_id, "submitter_id": user_id}


def _address(row: Row) -> dict[str, Any]:
    ip = address.format_address(address.parse(str(row.values.get("remote_ip") or "")), "full")
    return {"submitter_ip": ip} if ip else {}


def _number(row: Row, column: str) -> int:
    try:
        return int(row.values[column])
    except (TypeError, ValueError):
        raise BadRow(row.key, column, "is no number") from None


def _parsed(row: Row, column: str) -> Any:
    """Return the JSON value of a column, or None. Raise BadRow."""
    value = row.values.get(column)
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    parsed = values.parse_json(value)
    if parsed is value:
        raise BadRow(row.key, column, "is no JSON")
    return parsed


def _object(row: Row, column: str) -> dict[str, Any]:
    value = _parsed(row, column)
    if not isinstance(value, dict | None):
        raise BadRow(row.key, column, "is no JSON object")
    return value or {}


def _stored_fields(objects: Any) -> dict[str, Any]:
    """Return the fields of the one object that Django serialized, or none."""
    stored = objects[0].get("fields") if isinstance(objects, list) and objects else None
    return stored if isinstance(stored, dict) else {}


def _new_values(changes: Fields[str, Any]) -> dict[str, Any]:
    return {name: pair[-1] for name, pair in changes.items() if isinstance(pair, list) and pair}


def _visible(row: Row, column: str, changes: Fields[str, Any]) -> Changes:
    """Return the changes that are not hidden. The text `None` is None: both packages write it so."""
    visible = {}
    for name, pair in changes.items():
        if is_hidden(name, DEFAULT_HIDE):
            continue
        if not isinstance(pair, list) or len(pair) != 2:
            raise BadRow(row.key, column, "is no object of changed fields with their old and new values")
        visible[name] = [None if value == "None" else value for value in pair]
    return visible
