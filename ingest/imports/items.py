"""The items of rows, by the writer's own code, and refusals of rows."""

import json
import uuid
from collections.abc import Mapping as Fields
from datetime import datetime
from typing import Any, NamedTuple

from ingest import messages
from ingest.imports.rows import BadRow, Row
from ingest.messages import MAX_NODES, Envelope, LogMessage, Rejected
from ingest.wire.fields import parse_uuid
from ingest.writing import body_masking, items
from logs.models import LogItem, is_own_account

# Never change it: a second import of a row must derive the same id.
ID_NAMESPACE = uuid.UUID("0c1f3a60-7f0e-5a53-8a43-5d1c0a6a7e17")


class Refusal(NamedTuple):
    """Why a row is not imported.

    The reason contains no value of the row, which `row` names by its key. `column` is the column, or the field of the log if its value does not come from one column.
    """

    row: str
    column: str
    reason: str


def derived_id(table: str, key: str) -> str:
    """Return the id of a row without a UUID. It is stable: uuid5 of the table and the primary key."""
    return uuid.uuid5(ID_NAMESPACE, f"{table}\n{key}").hex


def to_item(row: Row, fields: Fields[str, Any], table: str, imported_at: datetime) -> LogItem:
    """Return the item of a row whose fields a mapping returned.

    The fields are masked, validated and truncated as those of a message. `received_at` is `created_at`, so
    the retention counts from it. An `id` that is no UUID is replaced by a derived one. Raise Rejected.
    """
    log_id = parse_uuid(fields.get("id")) or derived_id(table, row.key)
    message = _validate({**fields, "id": log_id})
    created_at = _check(message, imported_at)
    envelope = Envelope("", log_id, created_at, created_at, sender=None)
    item = items.to_item(message, envelope, retention=items.RETENTION)
    item.attribute_values["imported_at"] = imported_at
    return item


def _validate(fields: dict[str, Any]) -> LogMessage:
    """Return the message of some fields, masked. Raise Rejected."""
    try:
        body = json.dumps(fields, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError):
        raise Rejected("not_json", {"payload": ["must be JSON with finite numbers"]}) from None
    masked = body_masking.mask_body(body)
    # Most rows need not be parsed again, which takes a sixth of the CPU time of a row.
    if masked is body and len(body) < MAX_NODES and _is_encodable(body):
        return messages.validate(fields)
    return messages.parse(masked)


def _is_encodable(text: str) -> bool:
    """Return whether a text has no lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check(message: LogMessage, imported_at: datetime) -> datetime:
    """Return the time of a message. Raise Rejected for a message that only an import may not write."""
    errors = {}
    if is_own_account(message.account_id):
        errors["account_id"] = ["must not begin with _: these accounts are Logsite's own"]
    if message.created_at is None:
        errors["created_at"] = ["is required"]
    # The writer files such a message under SQS's time. A second import would have another time: a conflict.
    elif message.created_at - imported_at > items.MAX_CLOCK_AHEAD:
        errors["created_at"] = ["must not be in the future: check the clock and the time zone of the source"]
    if errors or message.created_at is None:
        raise Rejected("invalid_fields", errors, message.id)
    return message.created_at


def refusals(key: str, error: BadRow | Rejected, columns: Fields[str, str]) -> list[Refusal]:
    """Return why a row is refused. `columns` are the columns of the log's fields."""
    if isinstance(error, BadRow):
        return [Refusal(key, error.column or "", error.reason)]
    return [
        Refusal(key, columns.get(name, name), text) for name, texts in error.fields.items() for text in texts
    ]
