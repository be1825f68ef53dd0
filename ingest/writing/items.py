"""The item of a message, and the idempotent put into the logs table."""

import json
import os
import zlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError

from ingest import times
from ingest.messages import MAX_NODES, Envelope, LogMessage, Rejected
from ingest.wire.json_text import count_nodes
from ingest.writing import memory, own_senders, summary
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
from logs.storage.documents import Content, Document

# Longer payloads are compressed into `document`. `make bench ARGS=sizes` counts the write units that this
# saves: a lower threshold saves no more, a higher one saves less.
MAX_PAYLOAD_BYTES = 512

# Longer texts are truncated in their attribute and stored whole in `document`: most attributes are projected
# into four indexes.
MAX_TEXT_BYTES = 1024
# Names are truncated earlier, because `context` is projected into six indexes.
MAX_NAME_BYTES = 200
NAMES = {"user_name", "account_name", "object_name"}
# Of two logs with the same id, larger documents are duplicates only if all their bytes are equal.
MAX_COMPARED_BYTES = 4 * 1024 * 1024
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


class Outcome(StrEnum):
    """The result of a put."""

    WRITTEN = "written"
    DUPLICATE = "duplicate"


class TooLarge(Rejected):
    """The document of a log would be larger than the reader decompresses.

    Only a message of more than 10 MiB can be, if most of it is quotes, backslashes and control characters.
    """

    def __init__(self, log_id: str) -> None:
        limit = f"{documents.MAX_DOCUMENT_BYTES:,} bytes"
        rule = f"must take at most {limit} with its quotes and backslashes escaped"
        super().__init__("too_large", {"body": [rule]}, log_id)


class IdConflict(Rejected):
    """The table holds a log with the same id and other content.

    `attributes` names the sender of that log, and the time when SQS received it.
    """

    def __init__(self, existing: LogItem) -> None:
        super().__init__("id_conflict", {"id": ["belongs to a log with other content already"]}, existing.id)
        self.attributes = {
            "conflict-sender": existing.sender or "",
            "conflict-received-at": times.to_text(existing.received_at),
        }


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
    attributes: dict[str, Any] = {
        name: _truncate(name, text) if name in long_texts else text for name, text in texts.items()
    }
    context = make_context({name: attributes.pop(name) for name in CONTEXT_FIELDS})
    try:
        document = documents.pack(overflow) if overflow else None
    except documents.DocumentTooLarge:
        raise TooLarge(log_id) from None
    return LogItem(
        **attributes,
        context=context,
        user_key=user_key(message.user_id),
        object_key=object_key(message.object_type, message.object_id),
        id=log_id,
        created_at=created_at,
        received_at=envelope.received_at,
        first_sent_at=None if envelope.first_sent_at == envelope.received_at else envelope.first_sent_at,
        account_type=account_type_key(texts["account_id"], message.type),
        status=shard_status(log_id, SORTING_SHARDS),
        payload=payload,
        payload_type=payload_type,
        payload_size=payload_size,
        document=document,
        sender=envelope.sender,
        expires_at=_expires_at(texts, envelope.received_at, retention),
    )


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
            return _compare(LogItem.get(item.id, consistent_read=True), item, deadline)
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
        if error.response["Error"].get("Code") != "ConditionalCheckFailedException":
            raise
        return _compare(LogItem.from_raw_data(_existing_item(error)), item, deadline)
    return Outcome.WRITTEN


def _compare(existing: LogItem, item: LogItem, deadline: Deadline) -> Outcome:
    """Return Outcome.DUPLICATE if an existing item is the same log. Otherwise raise IdConflict."""
    parts.join(existing)
    size = memory.document_weight(existing) + memory.document_weight(item)
    with memory.BUDGET.reserve(size, deadline):
        is_duplicate = _is_duplicate(existing, item)
    if not is_duplicate:
        raise IdConflict(existing)
    return Outcome.DUPLICATE


def _is_duplicate(existing: LogItem, item: LogItem) -> bool:
    """Return whether an existing item is the same log as a new one.

    A derived summary is not compared, because another version of the writer may derive another one.
    """
    differences = {name for name in documents.SENDER_FIELDS if getattr(existing, name) != getattr(item, name)}
    if differences - {"summary"}:
        return False
    if _is_large(existing) or _is_large(item):
        return not differences and not existing.damage and _stored_content(existing) == _stored_content(item)
    theirs, ours = documents.content(existing), documents.content(item)
    if differences and item.summary != summary.derive(ours.payload):
        return False
    if theirs.damage or _header(existing, theirs) != _header(item, ours):
        return False
    # Equal texts need no parsing. Whitespace and key order are not content.
    return _texts(theirs) == _texts(ours) or canonical_json(theirs) == canonical_json(ours)


def _is_large(item: LogItem) -> bool:
    """Return whether an item's document is compared as bytes, because its values take too much memory."""
    if item.document is None:
        return False
    try:
        documents.decompress(item.document, MAX_COMPARED_BYTES)
    except documents.Damaged:
        return True
    except (ValueError, zlib.error):
        pass  # damaged, but not large
    return False


def _stored_content(item: LogItem) -> tuple[Any, ...]:
    """Return the content of a log without parsing it: its own time, its payload and its document."""
    document = documents.decompress(item.document) if item.document is not None else None
    return _sender_time(item), item.payload, item.payload_type, document


def _header(item: LogItem, content: Content) -> tuple[dict[str, str | None], str | None]:
    """Return the sender's fields except the summary, and the sender's time of a log."""
    fields = {name: value for name, value in content.fields.items() if name != "summary"}
    return fields, _sender_time(item, content.sent_created_at)


def _sender_time(item: LogItem, sent: str | None = None) -> str | None:
    """Return the time of the sender, which is `sent` if its clock was wrong.

    It is None if SQS set the time: a message that is sent twice with its id and without `created_at` is a
    duplicate.
    """
    if sent is None and item.created_at != (item.first_sent_at or item.received_at):
        return times.to_text(item.created_at)
    return sent


def _texts(content: Content) -> tuple[bool, str | None, str | None]:
    return content.payload_is_json, content.payload_text, content.extra_text


def canonical_json(content: Content) -> str:
    """Return payload and extra fields as canonical JSON, to deduplicate logs.

    JSON keeps 1, 1.0 and true apart, and its keys are sorted. JSON of more than MAX_NODES values is compared
    as text.
    """
    payload, extra = content.payload_text, content.extra_text
    values: dict[str, Any] = {
        "payload": content.payload if not content.payload_is_json or _is_parsable(payload) else payload,
        "extra": content.extra if _is_parsable(extra) else extra,
    }
    return json.dumps(values, sort_keys=True)


def _is_parsable(text: str | None) -> bool:
    return text is None or count_nodes(text) <= MAX_NODES


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
