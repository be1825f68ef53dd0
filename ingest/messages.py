"""The wire format: the message of a sender, and the envelope that SQS adds."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from ingest import times
from ingest.wire import formats, wrappers
from ingest.wire.characters import note_surrogates, replace_surrogates, strip_byte_order_mark
from ingest.wire.compression import DEFLATE, MAX_INFLATED_BYTES, inflate, may_be_compressed
from ingest.wire.context_fields import IpAddress, ObjectId, ObjectType, RequestId, Summary, TraceId
from ingest.wire.fields import (
    AccountId,
    LogType,
    OptionalName,
    OptionalText,
    OptionalTime,
    OptionalUuid,
    OptionalValue,
    Text,
    UserId,
    Value,
    parse_uuid,
)
from ingest.wire.json_text import NotAnObject, TooManyMembers, has_at_most, load_members
from ingest.wire.rejection import NOT_JSON, InvalidMessage, Rejected

__all__ = [
    "DEFLATE",
    "ID_NAMESPACE",
    "MAX_INFLATED_BYTES",
    "MAX_NODES",
    "Envelope",
    "InvalidMessage",
    "LogMessage",
    "Rejected",
    "may_be_compressed",
]

# Never change it: a redelivered message must get the same id from its SQS message id.
ID_NAMESPACE = uuid.UUID("1f6f9a52-4c1b-5a0e-9d0c-6a3f0c7b2e11")

# The values of a message that are parsed, counted as its commas and opening brackets. A value takes two bytes
# as JSON and about 100 in memory, so 16 MiB of JSON could take 1 GiB.
MAX_NODES = 100_000

# An encoded body is decoded this often: a JSON text within a JSON text, or base64.
MAX_ENCODINGS = 2

# A dead letter is kept for 14 days, so a redriven message was first sent within them.
MAX_REDRIVE_AGE = timedelta(days=14)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LogMessage(BaseModel):
    """One log, as it was sent.

    `model_extra` holds fields that are not declared here. They override nothing.
    """

    model_config = ConfigDict(strict=True, extra="allow", frozen=True, hide_input_in_errors=True)

    account_id: AccountId
    user_id: UserId
    type: LogType
    sub_type: Value
    url: Text
    id: OptionalUuid = None
    created_at: OptionalTime = None
    payload: Any = None
    submitter_id: OptionalName = None
    submitter_country: OptionalValue = None
    submitter_city: OptionalValue = None
    submitter_platform: OptionalValue = None
    submitter_browser: OptionalValue = None
    submitter_agent: OptionalText = None
    submitter_ip: IpAddress = None
    user_name: OptionalValue = None
    account_name: OptionalValue = None
    request_id: RequestId = None
    trace_id: TraceId = None
    object_type: ObjectType = None
    object_id: ObjectId = None
    object_name: OptionalValue = None
    summary: Summary = None


def validate(data: Mapping[str, Any], place: str = "") -> LogMessage:
    """Return a message from its fields.

    Raise InvalidMessage with the code `invalid_fields` and every invalid field. For a message of another
    program, or a wrapper without a log, the field is `body`. `place` is that of `unwrap`.
    """
    try:
        return LogMessage.model_validate(dict(data))
    except ValidationError as error:
        rejection = _invalid_fields(error, data.get("id"))
        if text := _describe(data, place):
            rejection = InvalidMessage("invalid_fields", {"body": [text]}, rejection.log_id)
        # Without the cause: only the texts of `_invalid_fields` are certain to contain no value.
        raise rejection.within(place) from None


def _describe(data: Mapping[str, Any], place: str) -> str | None:
    """Return why an object is no log, or None for an invalid log.

    An object of another program may have some fields of a log: a job with an id of a user, for example.
    """
    if wrappers.has_log_fields(data):
        missing = [name for name in wrappers.REQUIRED if name not in data]
        return formats.describe_program(data) if len(missing) > 1 else None
    is_foreign = place or not data.keys() <= LogMessage.model_fields.keys()
    text = f"is not a log: it must have {', '.join(wrappers.REQUIRED)}" if is_foreign else None
    return formats.describe(data) or text


def validate_json(body: str) -> LogMessage:
    """Return a message from a JSON object.

    Faster than `parse`, but not for compressed bodies. Raise InvalidMessage with the codes `invalid_fields`,
    `too_many_fields`, or `not_json` for lone surrogates and too deep nesting.
    """
    if not _is_small(body):
        return validate(parse_object(body))
    try:
        return LogMessage.model_validate_json(body)
    except ValidationError as error:
        if error.errors(include_url=False, include_input=False)[0]["type"] == "json_invalid":
            raise InvalidMessage("not_json", NOT_JSON) from None
        raise _invalid_fields(error, json.loads(body).get("id")) from None


def _invalid_fields(error: ValidationError, log_id: object) -> InvalidMessage:
    fields: dict[str, list[str]] = {}
    for details in error.errors(include_url=False, include_context=False, include_input=False):
        text = "is required" if details["type"] == "missing" else details["msg"]
        fields.setdefault(str(details["loc"][0]), []).append(text)
    return InvalidMessage("invalid_fields", fields, parse_uuid(log_id))


def parse(body: str) -> LogMessage:
    """Return a message from its body: decompressed, and without the wrappers of AWS services.

    Of a message with more than MAX_NODES values, the members with the most values become texts: the payload
    or unknown fields, as JSON that is not parsed. So the memory depends on the size of the body alone.

    A byte order mark at the beginning is skipped. U+FFFD replaces each lone surrogate, and the extra field
    REPLACED_SURROGATES counts them.

    Raise InvalidMessage with one of these codes:

    - `not_json`: not JSON, or JSON that cannot be serialized again (NaN, 1e400, nesting over 200 levels).
    - `not_an_object`: other JSON.
    - `not_deflated`: invalid compressed data.
    - `too_many_fields`: more than MAX_NODES fields.
    - `invalid_fields`: missing or invalid fields.
    """
    return validate(*unwrap(body))


def unwrap(body: str) -> tuple[dict[str, Any], str]:
    """Return the fields of the log in a body, and its place.

    The place names the wrappers, and is empty without one. The fields are not validated. Raise
    InvalidMessage, except with the code `invalid_fields`.
    """
    content: str | dict[str, Any] = body
    places: list[str] = []
    replaced = 0
    may_inflate = may_be_compressed(body)
    try:
        while True:
            if isinstance(content, str):
                data, count = _load(content)
                replaced += count
            else:
                data = content
            if data.keys() == {DEFLATE}:
                # Only once, and only if the writer reserved the memory for it.
                content, may_inflate = inflate(data[DEFLATE] if may_inflate else None), False
                continue
            wrapper = wrappers.find(data) if len(places) < wrappers.MAX_WRAPPERS else None
            if wrapper is None:
                return note_surrogates(data, replaced), " in ".join(reversed(places))
            places.append(wrapper.name)
            content = wrapper.content
    except InvalidMessage as error:
        raise error.within(" in ".join(reversed(places))) from None


def _load(text: str, encodings: int = 0) -> tuple[dict[str, Any], int]:
    """Return a JSON object, and the number of its replaced surrogates. The errors are `parse_object`'s."""
    text, replaced = replace_surrogates(strip_byte_order_mark(text))
    try:
        return parse_object(text), replaced
    except InvalidMessage as error:
        if error.code not in ("not_json", "not_an_object"):
            raise
        is_decodable = encodings < MAX_ENCODINGS
        inner = wrappers.decode(text, may_parse_list=_is_small(text)) if is_decodable else None
        if inner is None:
            reason = formats.describe_text(text)
            raise InvalidMessage(error.code, {"body": [reason]}) if reason else error from None
    data, count = _load(inner, encodings + 1)
    return data, replaced + count


def decompress(body: str) -> str:
    """Return the JSON text of a compressed body.

    Any other body is returned unchanged, an invalid one too.
    """
    try:
        data = _load(body)[0] if may_be_compressed(body) else {}
        return replace_surrogates(inflate(data[DEFLATE]))[0] if data.keys() == {DEFLATE} else body
    except InvalidMessage:
        return body


def parse_object(body: str) -> dict[str, Any]:
    """Return a JSON object. Raise InvalidMessage (`not_json`, `not_an_object` or `too_many_fields`)."""
    try:
        # json.loads accepts NaN and lone surrogates, and raises RecursionError for deep nesting.
        data = from_json(body, allow_inf_nan=False) if _is_small(body) else _parse_members(body)
        # from_json reads 1e400 as infinity, which cannot be serialized.
        json.dumps(data, allow_nan=False)
    except NotAnObject:
        # Another value is not parsed, so whether it is valid JSON remains open.
        if not body.lstrip().startswith("["):
            raise InvalidMessage("not_json", NOT_JSON) from None
        data = None
    except TooManyMembers:
        rule = f"must have at most {MAX_NODES:,} fields"
        raise InvalidMessage("too_many_fields", {"body": [rule]}) from None
    except (ValueError, TypeError):  # TypeError: the body itself contains a lone surrogate
        # Without the cause, which may quote the body.
        raise InvalidMessage("not_json", NOT_JSON) from None
    if not isinstance(data, dict):
        raise InvalidMessage("not_an_object", {"body": ["must be a JSON object"]})
    return data


def _is_small(text: str) -> bool:
    """Return whether a text has at most MAX_NODES values."""
    return has_at_most(text, MAX_NODES)


def _parse_members(body: str) -> dict[str, Any]:
    """Return a JSON object of at most MAX_NODES values. The errors are those of `load_members`."""
    data, unparsed = load_members(body, MAX_NODES)
    # No other field of Logsite's own may be a list or an object: an unparsed one must stay invalid.
    return data | {name: [] for name in unparsed & _SCALAR_FIELDS}


_SCALAR_FIELDS = LogMessage.model_fields.keys() - {"payload"}


@dataclass(frozen=True)
class Envelope:
    """The data that SQS adds to a message, independent of the body."""

    message_id: str
    log_id: str  # the log's id if the body has none
    received_at: datetime  # SQS's time
    first_sent_at: datetime  # SQS's time of the first delivery of a redriven message
    sender: str | None
    sent_id: str | None = None  # the attribute `log-id`


def envelope(record: Mapping[str, Any]) -> Envelope:
    """Return the envelope of one record of a Lambda SQS event.

    A redriven message has the attributes `log-id` and `log-sent-at` of its first delivery. Any sender can set
    them, so they identify the log only, and `received_at` stays SQS's time. A `log-sent-at` after it, or more
    than MAX_REDRIVE_AGE before it, is ignored.

    Raise KeyError or ValueError if the record lacks SQS's attributes.
    """
    attributes = record["attributes"]
    received_at = EPOCH + timedelta(milliseconds=int(attributes["SentTimestamp"]))
    first_sent_at = _parse_time(_attribute(record, "log-sent-at"))
    if first_sent_at is None or not timedelta() <= received_at - first_sent_at <= MAX_REDRIVE_AGE:
        first_sent_at = received_at
    message_id = record["messageId"]
    sent_id = parse_uuid(_attribute(record, "log-id"))
    return Envelope(
        message_id=message_id,
        log_id=sent_id or uuid.uuid5(ID_NAMESPACE, message_id).hex,
        received_at=received_at,
        first_sent_at=first_sent_at,
        sender=attributes.get("SenderId"),
        sent_id=sent_id,
    )


def _attribute(record: Mapping[str, Any], name: str) -> str | None:
    value: str | None = record.get("messageAttributes", {}).get(name, {}).get("stringValue")
    return value


def _parse_time(text: str | None) -> datetime | None:
    try:
        return times.parse(text) if text else None
    except ValueError:
        return None
