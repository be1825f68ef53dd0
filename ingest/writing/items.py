"""The item of a message, and the idempotent put into the logs table."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from ingest import times
from ingest.messages import Envelope, LogMessage, Rejected
from ingest.writing import duplicates, own_senders, summary
from ingest.writing.duplicates import IdConflict
from ingest.writing.result import Outcome
from ingest.writing.retry import Deadline
from logs.models import (
    CONTEXT_FIELDS,
    MAX_SHARDS,
    LogItem,
    account_type_key,
    make_context,
    object_key,
    shard_status,
    user_key,
)
from logs.storage import documents, dynamodb, parts
from logs.storage.documents import Document
from logs.storage.errors import CONDITION_FAILED

__all__ = ["IdConflict", "Outcome", "TooLarge", "payload_text", "put", "to_item"]

# Longer payloads are compressed into `document`. `make bench ARGS=sizes` counts the write units that this
# saves: a lower threshold saves no more, a higher one saves less.
MAX_PAYLOAD_BYTES = 512

# Longer texts are truncated in their attribute and stored whole in `document`: most attributes are projected
# into four indexes.
MAX_TEXT_BYTES = 1024
# Names are truncated earlier, because `context` is projected into six indexes.
MAX_NAME_BYTES = 200
NAMES = {"user_name", "account_name", "object_name"}
ELLIPSIS = "…"

MAX_RETENTION_DAYS = 36_500


def _number_from_environment(name: str, maximum: int) -> int | None:
    """Return a whole number from the environment.

    Return None if the variable is empty or not set. Raise ValueError, with the variable's name, unless it is
    from 1 to `maximum`.
    """
    text = os.environ.get(name)
    if not text:
        return None
    number = int(text) if text.isascii() and text.isdecimal() else 0
    if not 0 < number <= maximum:
        raise ValueError(f"{name} must be a whole number from 1 to {maximum}, not {text!r}")
    return number


# The number of sorting shards: partition keys of SortingIndex for new logs. The site reads every shard ever
# used.
SORTING_SHARDS = _number_from_environment("LOGS_SORTING_SHARDS", MAX_SHARDS) or 1
# None: logs never expire.
_days = _number_from_environment("LOGS_RETENTION_DAYS", MAX_RETENTION_DAYS)
RETENTION = timedelta(days=_days) if _days else None

# The account and subtype of the logs that `manage.py doctor` sends through the queue. It reads each once.
DOCTOR = ("_logsite", "doctor")
DOCTOR_RETENTION = timedelta(days=1)

# A clock further ahead of SQS's is wrong. A time in the past is valid: an old log may be sent late.
MAX_CLOCK_AHEAD = timedelta(minutes=15)


class TooLarge(Rejected):
    """The document of a log would be larger than the reader decompresses.

    Only a message of more than 10 MiB can be, if most of it is quotes, backslashes and control characters.
    """

    def __init__(self, log_id: str) -> None:
        limit = f"{documents.MAX_DOCUMENT_BYTES:,} bytes"
        rule = f"must take at most {limit} with its quotes and backslashes escaped"
        super().__init__("too_large", {"body": [rule]}, log_id)


def to_item(
    message: LogMessage,
    envelope: Envelope,
    *,
    retention: timedelta | None = RETENTION,
    max_payload_bytes: int = MAX_PAYLOAD_BYTES,
) -> LogItem:
    """Return the item of a message. It is idempotent: a redelivered message has the identical item.

    An account of Logsite's own becomes `_unverified` unless the sender may write it. `retention` is None if
    logs never expire. A payload over `max_payload_bytes` is compressed into `document`. Raise TooLarge for a
    document of more than documents.MAX_DOCUMENT_BYTES.
    """
    log_id = message.id or envelope.log_id
    overflow = Document()
    extra = dict(message.model_extra or {})
    texts: dict[str, Any] = {name: getattr(message, name) for name in documents.SENDER_FIELDS}
    if texts["summary"] is None:
        texts["summary"] = summary.derive(message.payload)
    if not own_senders.is_allowed(message.account_id, envelope.sender):
        texts["account_id"] = own_senders.UNVERIFIED
        extra[_unused_name(own_senders.SENT_ACCOUNT, extra)] = message.account_id
    if long_texts := {
        name: text for name, text in texts.items() if text is not None and _is_long(name, text)
    }:
        overflow["texts"] = long_texts
    if extra:
        overflow["extra"] = to_json(extra)
    created_at = message.created_at or envelope.first_sent_at
    if _is_ahead(created_at, envelope.first_sent_at):
        overflow["created_at"] = times.to_text(created_at)
        created_at = envelope.first_sent_at
    payload, payload_type = payload_text(message.payload)
    payload_size = None if payload is None else len(payload.encode())
    if payload is not None and payload_size is not None and payload_size > max_payload_bytes:
        overflow["payload"] = payload
        payload = None
    values: dict[str, Any] = {
        name: _truncate(name, text) if name in long_texts else text for name, text in texts.items()
    }
    values["context"] = make_context({name: values.pop(name) for name in CONTEXT_FIELDS})
    try:
        document = documents.pack(overflow) if overflow else None
    except documents.DocumentTooLarge:
        raise TooLarge(log_id) from None
    values |= {
        "user_key": user_key(message.user_id),
        "object_key": object_key(message.object_type, message.object_id),
        "id": log_id,
        "created_at": created_at,
        "received_at": envelope.received_at,
        "first_sent_at": None if envelope.first_sent_at == envelope.received_at else envelope.first_sent_at,
        "account_type": account_type_key(texts["account_id"], message.type),
        "status": shard_status(log_id, SORTING_SHARDS),
        "payload": payload,
        "payload_type": payload_type,
        "payload_size": payload_size,
        "document": document,
        "sender": envelope.sender,
    }
    # PynamoDB takes longer to set the other attributes one by one than to read the message. Only the time to
    # live is changed when it is set.
    item = LogItem(expires_at=_expires_at(texts, envelope.received_at, retention))
    item.attribute_values |= {name: value for name, value in values.items() if value is not None}
    return item


def _unused_name(name: str, extra: Mapping[str, Any]) -> str:
    """Return a name that is no extra field yet: the sender's fields are never replaced."""
    while name in extra:
        name = f"_{name}"
    return name


def _expires_at(
    texts: Mapping[str, str], received_at: datetime, retention: timedelta | None
) -> datetime | None:
    """Return the end of a log's retention, or None if it never expires.

    Retention counts from `received_at`: with a wrong clock, `created_at` might hide a new log at once.
    """
    if (texts["account_id"], texts["sub_type"]) == DOCTOR:
        retention = min(DOCTOR_RETENTION, retention or DOCTOR_RETENTION)
    return received_at + retention if retention else None


def payload_text(payload: Any) -> tuple[str | None, str | None]:
    """Return a payload's text and its `payload_type`.

    A text stays unchanged ("text"). Any other value is serialized as compact JSON ("json").
    """
    if payload is None:
        return None, None
    if isinstance(payload, str):
        return payload, "text"
    return to_json(payload), "json"


def to_json(value: Any) -> str:
    """Return a value as compact JSON."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def put(item: LogItem, deadline: Deadline | None = None) -> Outcome:
    """Store an item and its part items. The put is idempotent.

    Costs one PutItem per item. The part items are written first, so that a log in the table is complete. If
    the log exists, its part items are read and compared. A log with part items costs one GetItem more: parts
    of a log that is rejected would remain, because the writer may not delete any item. They remain only if
    another log with the id is written between the two requests.

    Raise IdConflict if a log with the same id has other content. Raise one of AWS_ERRORS if DynamoDB does not
    store the item, or OutOfTime if other messages take the memory for a comparison until the deadline.
    """
    deadline = deadline or Deadline(None)
    if documents.has_parts(item.document):
        with suppress(LogItem.DoesNotExist):
            return duplicates.compare(LogItem.get(item.id, consistent_read=True), item, deadline)
    operation = item.get_save_kwargs_from_instance(
        condition=LogItem.id.does_not_exist(),
        # A failed condition returns the existing item: no second request, and no race with one.
        return_values_on_condition_failure="ALL_OLD",
    )
    head = parts.save(item)
    if head is not None:
        operation["Item"]["document"] = {"B": head}
    try:
        # LogItem.save() cannot return the existing item.
        dynamodb.put(operation)
    except ClientError as error:
        if error.response["Error"].get("Code") != CONDITION_FAILED:
            raise
        return duplicates.compare(LogItem.from_raw_data(_existing_item(error)), item, deadline)
    return Outcome.WRITTEN


def _existing_item(error: ClientError) -> dict[str, Any]:
    """Return the existing item from a failed condition, in DynamoDB's JSON.

    PynamoDB wraps botocore's error without the item, so it is read from the cause.
    """
    response: Mapping[str, Any] = getattr(error.__cause__, "response", {})
    item: dict[str, Any] = response["Item"]
    return item


def _is_ahead(created_at: datetime, sent_at: datetime) -> bool:
    return created_at - sent_at > MAX_CLOCK_AHEAD


def _limit(name: str) -> int:
    return MAX_NAME_BYTES if name in NAMES else MAX_TEXT_BYTES


def _is_long(name: str, text: str) -> bool:
    return len(text.encode()) > _limit(name)


def _truncate(name: str, text: str) -> str:
    """Truncate a field to its bytes of UTF-8, ellipsis included, without splitting a character."""
    return text.encode()[: _limit(name) - len(ELLIPSIS.encode())].decode(errors="ignore") + ELLIPSIS
