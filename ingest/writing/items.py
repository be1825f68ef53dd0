"""From a message to an item in the logs table."""

import json
import os
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError

from ingest.messages import Envelope, LogMessage, Rejected
from logs import document, parts, times
from logs.document import Document
from logs.models import LogItem, PartItem, account_type_key, shard_status

# A longer payload lies compressed in `document`. `make bench ARGS=sizes` counts the write units that this
# saves: a lower threshold saves no more, a higher one less.
MAX_PAYLOAD_BYTES = 512

# A longer text is cut in its attribute, and whole in `document`: four indexes carry most of them.
MAX_TEXT_BYTES = 1024
MARK = "…"

MAX_SHARDS = 50
MAX_RETENTION_DAYS = 36_500


def _number(name: str, most: int) -> int | None:
    """Read a whole number from the environment, if there is one. Raises ValueError, with its name."""
    text = os.environ.get(name)
    if not text:
        return None
    number = int(text) if text.isascii() and text.isdecimal() else 0
    if not 0 < number <= most:
        raise ValueError(f"{name} must be a whole number from 1 to {most}, not {text!r}")
    return number


# How many partitions of SortingIndex new logs are spread over; the site reads those of all times.
SORTING_SHARDS = _number("LOGS_SORTING_SHARDS", MAX_SHARDS) or 1
# How long a log is kept; None: for ever.
_days = _number("LOGS_RETENTION_DAYS", MAX_RETENTION_DAYS)
RETENTION = timedelta(days=_days) if _days else None

# What `manage.py doctor` sends through the queue is of use for a moment only.
DOCTOR = ("_logsite", "doctor")
DOCTOR_RETENTION = timedelta(days=1)

# A clock further ahead of SQS's is wrong. Behind is no error: an old log may be sent late.
MAX_CLOCK_AHEAD = timedelta(hours=24)


class Outcome(StrEnum):
    """What became of a put."""

    WRITTEN = "written"
    DUPLICATE = "duplicate"


class IdConflict(Rejected):
    """The table holds another log of the same id."""

    def __init__(self, log_id: str) -> None:
        super().__init__("id_conflict", {"id": ["belongs to a log with other content already"]}, log_id)


def to_item(message: LogMessage, envelope: Envelope) -> LogItem:
    """Return the item of a message; the same message delivered again gives the identical item."""
    log_id = message.id or envelope.log_id
    rest = Document()
    texts: dict[str, Any] = {name: getattr(message, name) for name in document.SENDER_FIELDS}
    if long := {name: text for name, text in texts.items() if text is not None and _is_long(text)}:
        rest["texts"] = long
    if message.model_extra:
        rest["extra"] = message.model_extra
    created_at = message.created_at or envelope.sent_at
    if _is_ahead(created_at, envelope.sent_at):
        rest["created_at"] = times.to_text(created_at)
        created_at = envelope.sent_at
    payload, payload_type = payload_text(message.payload)
    payload_size = None if payload is None else len(payload.encode())
    if payload is not None and payload_size is not None and payload_size > MAX_PAYLOAD_BYTES:
        rest["payload"] = payload
        payload = None
    shown: dict[str, Any] = {name: _cut(text) if name in long else text for name, text in texts.items()}
    return LogItem(
        **shown,
        id=log_id,
        created_at=created_at,
        received_at=envelope.sent_at,
        account_type=account_type_key(message.account_id, message.type),
        status=shard_status(log_id, SORTING_SHARDS),
        payload=payload,
        payload_type=payload_type,
        payload_size=payload_size,
        document=document.pack(rest) if rest else None,
        sender=envelope.sender,
        expires_at=_expires_at(message, envelope.sent_at),
    )


def _expires_at(message: LogMessage, received_at: datetime) -> datetime | None:
    """Return when a log may go: counted from when it was received, as a wrong clock must not hide it."""
    retention = RETENTION
    if (message.account_id, message.sub_type) == DOCTOR:
        retention = min(DOCTOR_RETENTION, RETENTION or DOCTOR_RETENTION)
    return received_at + retention if retention else None


def payload_text(payload: Any) -> tuple[str | None, str | None]:
    """Return a payload's text and its `payload_type`: a text as it is, another value as compact JSON."""
    if payload is None:
        return None, None
    if isinstance(payload, str):
        return payload, "text"
    return json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":")), "json"


def put(item: LogItem) -> Outcome:
    """Store an item with its whole document once, however often it comes; its parts are written first.

    Raises IdConflict where another log has its id, and botocore's BotoCoreError or ClientError, or PynamoDB's
    PynamoDBException, where trying again may help.
    """
    operation = item.get_save_kwargs_from_instance(
        condition=LogItem.id.does_not_exist(),
        # The failed condition brings the old item along: no read, and nothing in between.
        return_values_on_condition_failure="ALL_OLD",
    )
    head = parts.save(item)
    if head is not None:
        operation["Item"]["document"] = {"B": head}
    try:
        # Not item.save(): it has no way to ask for the old item.
        LogItem._get_connection().connection.dispatch("PutItem", operation)
    except ClientError as error:
        if error.response["Error"].get("Code") != "ConditionalCheckFailedException":
            raise
        old = LogItem.from_raw_data(_old_item(error))
        olds_parts = document.part_ids(old.id, old.document)
        parts.make_whole(old)
        if old.damage or said(old) != said(item):
            _forget(part_id for part_id in document.part_ids(item.id, head) if part_id not in olds_parts)
            raise IdConflict(item.id) from error
        return Outcome.DUPLICATE
    return Outcome.WRITTEN


def _forget(part_ids: Iterable[str]) -> None:
    """Delete parts that were written for a log that was not."""
    with PartItem.batch_write() as batch:
        for part_id in part_ids:
            batch.delete(PartItem(part_id))


def said(item: LogItem) -> str:
    """Return what the sender said in one canonical text, to compare two items by.

    JSON, so that 1, 1.0 and true differ, with sorted keys. A time that only SQS gave is not said: the same
    message sent twice with its id and no `created_at` is the same log.
    """
    whole = document.content(item)
    del whole["payload_text"]  # its spelling, not its content
    whole["created_at"] = whole.pop("sent_created_at")
    if whole["created_at"] is None and item.created_at != item.received_at:
        whole["created_at"] = times.to_text(item.created_at)
    return json.dumps(whole, sort_keys=True)


def _old_item(error: ClientError) -> dict[str, Any]:
    """Return the item that a failed condition found, as DynamoDB spells it.

    PynamoDB wraps botocore's error and leaves the item behind in its cause.
    """
    response: Mapping[str, Any] = getattr(error.__cause__, "response", {})
    item: dict[str, Any] = response["Item"]
    return item


def _is_ahead(created_at: datetime, sent_at: datetime) -> bool:
    return created_at - sent_at > MAX_CLOCK_AHEAD


def _is_long(text: str) -> bool:
    return len(text.encode()) > MAX_TEXT_BYTES


def _cut(text: str) -> str:
    """Cut a text to MAX_TEXT_BYTES of UTF-8, mark included, never inside a character."""
    return text.encode()[: MAX_TEXT_BYTES - len(MARK.encode())].decode(errors="ignore") + MARK
