"""From a row to the fields of a log."""

import hashlib
import json
from collections.abc import Collection
from collections.abc import Mapping as Fields
from dataclasses import dataclass, field
from typing import Any, Protocol

from ingest.imports import values
from ingest.imports.rows import BadRow, Row
from ingest.imports.values import BadValue, Clock
from ingest.messages import LogMessage

FIELDS = tuple(LogMessage.model_fields)
REQUIRED = ("account_id", "user_id", "type", "created_at")
# Logs of no one, as those that the client sends.
NO_ONE = 0
IDS = {"account_id", "user_id", "submitter_id"}
PAYLOAD, EXTRA = "payload.", "extra."


@dataclass(frozen=True)
class Origin:
    """The origin of a field: a column, or a text for each log."""

    column: str | None = None
    text: str = ""

    def __str__(self) -> str:
        return f":{self.text}" if self.column is None else self.column


class Preset(Protocol):
    """The events of another package as fields of a log."""

    @property
    def name(self) -> str:
        """Return the name of the option."""
        ...

    @property
    def columns(self) -> frozenset[str]:
        """Return the columns that no unknown field keeps.

        The fields have their values, or live capture leaves them out.
        """
        ...

    def columns_by_field(self) -> dict[str, str]:
        """Return the columns of fields, for messages."""
        ...

    def fields(self, row: Row) -> dict[str, Any]:
        """Return the fields of a row, `created_at` as in the row. Raise BadRow."""
        ...


@dataclass(frozen=True)
class Mapping:
    """Columns as fields of a log. It can be pickled.

    `origins` are by field. A field is one of LogMessage, a member of the payload such as `payload.old`, or an
    unknown field such as `extra.old`. `json_columns` have values of JSON as text.
    """

    table: str
    origins: dict[str, Origin]
    clock: Clock
    preset: Preset | None = None
    dropped: frozenset[str] = frozenset()
    json_columns: frozenset[str] = frozenset()
    _used: frozenset[str] = field(init=False, default=frozenset())

    def __post_init__(self) -> None:
        """Collect the columns that no unknown field keeps."""
        used = {origin.column for origin in self.origins.values() if origin.column is not None}
        preset = self.preset.columns - used if self.preset else frozenset()
        object.__setattr__(self, "_used", self.dropped | preset | used)

    @property
    def fingerprint(self) -> str:
        """Return a text that another mapping does not have. A checkpoint belongs to it."""
        parts = [
            self.preset.name if self.preset else "",
            sorted((name, str(origin)) for name, origin in self.origins.items()),
            sorted(self.dropped),
            [str(self.clock.zone), self.clock.repeated],
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def columns_by_field(self) -> dict[str, str]:
        """Return the columns of the fields that come from one column."""
        columns = self.preset.columns_by_field() if self.preset else {}
        return columns | {name: each.column for name, each in self.origins.items() if each.column is not None}

    def has(self, name: str) -> bool:
        """Return whether a field has a column, a text or a preset."""
        return self.preset is not None or name in self.origins

    def is_used(self, column: str) -> bool:
        """Return whether a column is dropped, or the value of a field."""
        return column in self._used

    def unknown_name(self, column: str, used: Collection[str] = ()) -> str:
        """Return the name of the unknown field that keeps a column."""
        name = column
        # A column such as `url`, if another column is the log's URL.
        if name in LogMessage.model_fields or name in used:
            name = f"{self.table}_{column}"
        while name in LogMessage.model_fields or name in used:
            name = f"_{name}"
        return name

    def _preset_fields(self, row: Row) -> dict[str, Any]:
        """Return the fields of a preset. Raise BadRow for a row that its package does not write."""
        if self.preset is None:
            return {}
        try:
            return self.preset.fields(row)
        except (KeyError, AttributeError, TypeError, ValueError):
            raise BadRow(row.key, None, f"is no row of {self.preset.name}") from None

    def message(self, row: Row) -> dict[str, Any]:
        """Return the fields of a message, as JSON values. Raise BadRow for a time that is none.

        - `id` is left out unless it is a UUID. Then its column is an unknown field.
        - All columns that no field has and that are not dropped are unknown fields. NULL is left out.
        - NULL in `account_id` and `user_id` is 0: no one. NULL in `sub_type` and `url` is an empty text.

        Other values are not validated.
        """
        fields = self._preset_fields(row)
        payload: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        for name, origin in self.origins.items():
            value = origin.text if origin.column is None else row.values.get(origin.column)
            if name.startswith(PAYLOAD):
                payload[name.removeprefix(PAYLOAD)] = self._json(origin.column, value)
            elif name.startswith(EXTRA):
                extra[name.removeprefix(EXTRA)] = self._json(origin.column, value)
            elif name == "payload":
                fields[name] = self._json(origin.column, value)
            else:
                fields[name] = value
        if payload:
            fields["payload"] = payload
        fields = {name: _field(name, value) for name, value in fields.items()}
        fields["created_at"] = self._created_at(row, fields)
        if fields.get("id") is None:
            fields.pop("id", None)
        message = {name: value for name, value in fields.items() if value is not None}
        message = {"account_id": NO_ONE, "user_id": NO_ONE, "sub_type": "", "url": ""} | message
        return message | self._extra(row, extra, message)

    def _created_at(self, row: Row, fields: Fields[str, Any]) -> str:
        try:
            return self.clock.moment(fields.get("created_at"))
        except BadValue as error:
            column = self.columns_by_field().get("created_at")
            raise BadRow(row.key, column, str(error)) from None

    def _extra(self, row: Row, extra: dict[str, Any], message: Fields[str, Any]) -> dict[str, Any]:
        """Return the unknown fields: those of `extra`, then the columns that no field has."""
        unknown = {name: value for name, value in extra.items() if value is not None}
        id_column = self.columns_by_field().get("id") if "id" not in message else None
        for column, value in row.values.items():
            if value is not None and (column not in self._used or column == id_column):
                unknown[self.unknown_name(column, unknown)] = self._json(column, value)
        return unknown

    def _json(self, column: str | None, value: Any) -> Any:
        return values.parse_json(value) if column in self.json_columns else values.to_json(value)


def _field(name: str, value: Any) -> Any:
    """Return a value as its field needs it, or None."""
    if value is None or name == "created_at":
        return value
    if name == "id":
        return values.to_uuid(value)
    if name == "payload":
        return value
    value = values.to_name(value) if name in IDS else values.to_text(value)
    # An empty text is no value, except in the fields that may be empty.
    return None if value == "" and name not in ("sub_type", "url") else value
