"""A log as the body of a message: id, timestamp, validation, size limit."""

import json
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ingest import messages, times
from ingest.sending import local_time, size, surrogates, value_limit
from ingest.sending.serialize import MAX_VALUES, convert, to_jsonable
from ingest.sending.value_limit import Change
from ingest.wire.characters import note_surrogates
from ingest.wire.fields import parse_uuid

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef as Entry

# The client's logger: applications configure one name, and LogHandler ignores it.
logger = logging.getLogger("ingest.client")


class TooLarge(ValueError):
    """A log exceeds SQS's limit of 1 MiB (1,048,576 bytes) even compressed. Raised in strict mode only."""


@dataclass(frozen=True)
class OutgoingLog:
    """A log that is ready to send: its id and the message body.

    The id is empty if it is unknown. The body is ASCII, so its length is its size in bytes.
    """

    id: str
    body: str

    @property
    def fields(self) -> dict[str, Any]:
        """Return the fields in the body, decompressed if necessary."""
        fields: dict[str, Any] = json.loads(messages.decompress(self.body))
        return fields

    @property
    def size(self) -> int:
        """Return the size of the message in bytes."""
        return len(self.body)

    def entry(self, entry_id: str) -> "Entry":
        """Return the message as an entry of SendMessageBatch."""
        return {"Id": entry_id, "MessageBody": self.body}


def prepare(
    fields: Mapping[str, Any],
    *,
    strict: bool,
    mask: Callable[[str], str] | None = None,
    attach_zone: Callable[[datetime], datetime] = local_time.system_zone,
) -> OutgoingLog:
    """Return the outgoing log of these fields. `attach_zone` returns a naive `created_at` with its zone.

    Assigns a missing id and timestamp, serializes and validates the fields, masks the body with `mask`, and
    enforces the size limit. If `strict`, raise InvalidMessage or TooLarge. Otherwise log a warning, and
    truncate an oversize log.
    """
    fields = dict(fields)
    new_id = None
    if fields.get("id") is None:
        fields["id"] = new_id = uuid.uuid4().hex
    if (created_at := fields.get("created_at")) is None:
        fields["created_at"] = times.to_text(datetime.now(UTC))
    elif type(created_at) is not str:
        fields["created_at"] = local_time.to_utc(created_at, attach_zone)
    note = ""
    if value_limit.exceeds(fields):
        fields, note = _limit_values(fields, strict=strict)
    body = size.dumps(fields)
    error = _validation_error(body)
    if error and error.code == "not_json":
        # The fields contain lone surrogates, or are nested too deep.
        fields, replaced = surrogates.replace(convert(fields))
        body = size.encode(note_surrogates(fields, replaced))
        error = _validation_error(body)
    id_text = new_id or str(to_jsonable(fields["id"]))
    log_id = new_id or parse_uuid(id_text)
    if error:
        if strict:
            raise error
        logger.warning("log %s will be a dead letter: %s", log_id or "with an invalid id", error)
    if note:
        logger.warning("log %s %s", log_id or "with an invalid id", note)
    if mask:
        body = mask(body)
    return OutgoingLog(log_id or id_text, _limit_size(body, log_id or id_text, strict=strict))


def _limit_values(fields: dict[str, Any], *, strict: bool) -> tuple[dict[str, Any], str]:
    """Return fields within the limit on values, and a note for a warning. Raise TooLarge if `strict`."""
    fields, change = value_limit.reduce(fields, size.dumps)
    if change is Change.NONE:
        return fields, ""
    if change is Change.TEXT:
        return fields, f"has more than {MAX_VALUES:,} values; its largest fields are sent as text"
    note = "has too many values, or too long texts in them, and was truncated"
    if strict:
        raise TooLarge(f"a log {note}")
    return fields, note


def _limit_size(body: str, log_id: str, *, strict: bool) -> str:
    """Return a body within SQS's limit: unchanged, compressed or truncated. Raise TooLarge if `strict`."""
    if not (oversize := size.oversize(body)):
        return body
    if compressed := size.compress(body):
        return compressed
    if strict:
        raise TooLarge(f"log {log_id} has {oversize}")
    logger.warning("log %s has %s and was truncated", log_id[:32], oversize)
    return size.truncate(json.loads(body))


def _validation_error(body: str) -> messages.InvalidMessage | None:
    """Return the error that the writer would raise for a body, or None."""
    try:
        messages.validate_json(body)
    except messages.InvalidMessage as error:
        return error
    return None
