"""The wire format: what a message on the queue may say, and what SQS itself knows of it."""

import base64
import json
import re
import unicodedata
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError, from_json

from ingest import times

# 500 bytes each, so that both together fit an index key (DynamoDB: 2,048 bytes a partition key).
MAX_KEY_BYTES = 500

# Fixed for ever: a redelivered message must get the same id from its SQS message id.
ID_NAMESPACE = uuid.UUID("1f6f9a52-4c1b-5a0e-9d0c-6a3f0c7b2e11")

# A message larger than SQS takes may come as `{"_deflate": "<base64 of its zlib-compressed JSON>"}`. What it
# inflates to is bounded: a few KB could else fill the memory.
DEFLATE = "_deflate"
MAX_INFLATED_BYTES = 16 * 1024 * 1024

NOT_JSON = {"body": ["must be JSON in UTF-8, with finite numbers"]}

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Rejected(Exception):
    """This message can never be stored as it is; trying again changes nothing.

    `code` names the reason for programs, `fields` says by field what is wrong, in words that hold no value
    of the message. `log_id` is the id that the message itself names, as far as it could be read.
    """

    def __init__(self, code: str, fields: Mapping[str, list[str]], log_id: str | None = None) -> None:
        self.code = code
        self.fields = dict(fields)
        self.log_id = log_id
        super().__init__("; ".join(f"{name}: {text}" for name, texts in fields.items() for text in texts))


class InvalidMessage(Rejected, ValueError):
    """The message breaks the wire format: `invalid_fields`, `not_json`, `not_an_object`, `not_deflated`."""


def id_from(text: object) -> str | None:
    """Return any spelling of a UUID as 32 hex digits, or None where it is no UUID.

    Stricter than `uuid.UUID`, which takes `_`, spaces and other alphabets' digits for hex digits.
    """
    if not isinstance(text, str):
        return None
    digits = text.strip().lower().removeprefix("urn:uuid:").strip("{}").replace("-", "")
    return digits if re.fullmatch("[0-9a-f]{32}", digits) else None


def _id(value: object) -> str | None:
    if value is None:
        return None
    if (digits := id_from(value)) is None:
        raise PydanticCustomError("uuid", "must be a UUID, with or without hyphens")
    return digits


def _name(value: object) -> str:
    """Read who someone is: DynamoDB's keys are texts, the senders' ids mostly integers."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return str(value)
    if isinstance(value, str) and value:
        return value
    raise PydanticCustomError("name", "must be a non-negative integer or a non-empty text")


def _optional_name(value: object) -> str | None:
    return None if value is None else _name(value)


def _key(value: str) -> str:
    if len(value.encode()) > MAX_KEY_BYTES:
        raise PydanticCustomError(
            "key_size", "must have at most {limit} bytes in UTF-8", {"limit": MAX_KEY_BYTES}
        )
    return value


def _trimmed(value: str) -> str:
    """Take white space off both ends: what is typed into a filter could else never find the log."""
    text = value.strip()
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise PydanticCustomError("control", "must not contain control characters")
    return text


def _account(value: object) -> str:
    name = _name(value)
    if not (name := _trimmed(name)):
        raise PydanticCustomError("name", "must be a non-negative integer or a non-empty text")
    if "#" in name:
        raise PydanticCustomError("account", "must not contain #")
    return _key(name)


def _type(value: object) -> str:
    if not isinstance(value, str) or not (text := _trimmed(value)):
        raise PydanticCustomError("type", "must be a non-empty text")
    return _key(text)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise PydanticCustomError("text", "must be a text")
    return value


def _optional_text(value: object) -> str | None:
    return None if value is None else _text(value)


def _moment(value: object) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, str):
        try:
            return times.parse(value)
        except ValueError:
            pass  # its text quotes the value
    raise PydanticCustomError("time", "must be an ISO 8601 time such as 2026-11-23T22:44:00+00:00")


# What JSON Schema can say of a field; the rest is in words, since it counts characters and not bytes.
_INTEGER = {"type": "integer", "minimum": 0}
_NULL = {"type": "null"}
_NO_CONTROLS = "\\u0000-\\u001f\\u007f-\\u009f"
_NAME = {"anyOf": [_INTEGER, {"type": "string", "minLength": 1}]}
_ACCOUNT = {
    "anyOf": [
        _INTEGER,
        {
            "type": "string",
            "maxLength": MAX_KEY_BYTES,
            "pattern": f"^[^#{_NO_CONTROLS}]*[^#{_NO_CONTROLS}\\s][^#{_NO_CONTROLS}]*$",
        },
    ],
    "description": f"0 where there is none. At most {MAX_KEY_BYTES} bytes in UTF-8.",
}
_TYPE = {
    "type": "string",
    "maxLength": MAX_KEY_BYTES,
    "pattern": f"^[^{_NO_CONTROLS}]*[^{_NO_CONTROLS}\\s][^{_NO_CONTROLS}]*$",
    "description": f"At most {MAX_KEY_BYTES} bytes in UTF-8.",
}
_UUID = {
    "anyOf": [{"type": "string", "pattern": "^[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}$"}, _NULL],
    "description": "A UUID; else one is derived from SQS's message id.",
}
_TIME = {
    "anyOf": [{"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].+)?$"}, _NULL],
    "description": "ISO 8601 with any offset, or none for UTC; else the time when SQS received it.",
    "examples": ["2026-11-23T22:44:00+00:00"],
}

OptionalText = Annotated[str | None, BeforeValidator(_optional_text)]


class LogMessage(BaseModel):
    """One log, as its sender tells it.

    Fields that are not declared here are kept in `model_extra`, where they override nothing.
    """

    model_config = ConfigDict(strict=True, extra="allow", frozen=True, hide_input_in_errors=True)

    account_id: Annotated[str, BeforeValidator(_account), WithJsonSchema(_ACCOUNT)]
    user_id: Annotated[str, BeforeValidator(_name), WithJsonSchema(_NAME)]
    type: Annotated[str, BeforeValidator(_type), WithJsonSchema(_TYPE)]
    sub_type: Annotated[str, BeforeValidator(_text)]
    url: Annotated[str, BeforeValidator(_text)]
    id: Annotated[str | None, BeforeValidator(_id), WithJsonSchema(_UUID)] = None
    created_at: Annotated[datetime | None, BeforeValidator(_moment), WithJsonSchema(_TIME)] = None
    payload: Any = None
    submitter_id: Annotated[
        str | None, BeforeValidator(_optional_name), WithJsonSchema({"anyOf": [*_NAME["anyOf"], _NULL]})
    ] = None
    submitter_country: OptionalText = None
    submitter_city: OptionalText = None
    submitter_platform: OptionalText = None
    submitter_browser: OptionalText = None
    submitter_agent: OptionalText = None


def validate(data: Mapping[str, Any]) -> LogMessage:
    """Check the fields of a message. Raises InvalidMessage (`invalid_fields`), naming each that is wrong."""
    try:
        return LogMessage.model_validate(dict(data))
    except ValidationError as error:
        # Without its cause: only the words of `_refusal` are known to hold no value of the message.
        raise _refusal(error, data.get("id")) from None


def validate_json(text: str) -> LogMessage:
    """Do what `validate` does, faster, to an object that is JSON already.

    Raises InvalidMessage, `not_json` too, for lone surrogates and what nests too deep.
    """
    try:
        return LogMessage.model_validate_json(text)
    except ValidationError as error:
        if error.errors(include_url=False, include_input=False)[0]["type"] == "json_invalid":
            raise InvalidMessage("not_json", NOT_JSON) from None
        raise _refusal(error, json.loads(text).get("id")) from None


def _refusal(error: ValidationError, log_id: object) -> InvalidMessage:
    fields: dict[str, list[str]] = {}
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        text = "is required" if problem["type"] == "missing" else problem["msg"]
        fields.setdefault(str(problem["loc"][0]), []).append(text)
    return InvalidMessage("invalid_fields", fields, id_from(log_id))


def parse(body: str) -> LogMessage:
    """Read a message's body.

    Raises InvalidMessage: `not_json` for what is no JSON, or JSON that could not be written again (NaN,
    1e400, lone surrogates, nesting over 200 levels); `not_an_object`; `not_deflated`; `invalid_fields`.
    """
    data = _object(body)
    if data.keys() == {DEFLATE}:
        data = _object(_inflated(data[DEFLATE]))
    return validate(data)


def decompress(body: str) -> str:
    """Return the text that a body stands for, inflated where it is compressed; a wrong one as it is."""
    try:
        data = _object(body)
        return _inflated(data[DEFLATE]).decode() if data.keys() == {DEFLATE} else body
    except (InvalidMessage, UnicodeDecodeError):
        return body


def _inflated(packed: object) -> bytes:
    rule = f"must be base64 of zlib-compressed JSON of at most {MAX_INFLATED_BYTES:,} bytes"
    refused = InvalidMessage("not_deflated", {DEFLATE: [rule]})
    if not isinstance(packed, str):
        raise refused
    try:
        stream = zlib.decompressobj()
        text = stream.decompress(base64.b64decode(packed, validate=True), MAX_INFLATED_BYTES)
    except (ValueError, zlib.error):
        raise refused from None
    if not stream.eof:
        raise refused
    return text


def _object(body: str | bytes) -> dict[str, Any]:
    try:
        # Not json.loads: that takes NaN and lone surrogates, and deep nesting is a RecursionError there.
        data = from_json(body, allow_inf_nan=False)
        # It still reads 1e400 as infinity, which no JSON text can hold.
        json.dumps(data, allow_nan=False)
    except (ValueError, TypeError):  # TypeError: a lone surrogate in the body itself
        # Without its cause, which may quote the body.
        raise InvalidMessage("not_json", NOT_JSON) from None
    if not isinstance(data, dict):
        raise InvalidMessage("not_an_object", {"body": ["must be a JSON object"]})
    return data


@dataclass(frozen=True)
class Envelope:
    """What SQS knows of a message, whatever its body says."""

    message_id: str
    log_id: str  # the id of the log, where the body names none
    sent_at: datetime  # when it was sent first
    sender: str | None


def envelope(record: Mapping[str, Any]) -> Envelope:
    """Read the envelope of one record of a Lambda SQS event.

    Whoever sends a dead letter again sets the message attributes `log-id` and `log-sent-at` to those of the
    first message. They are preferred, where they make sense: no message was first sent after it was sent.
    """
    attributes = record["attributes"]
    sent_at = EPOCH + timedelta(milliseconds=int(attributes["SentTimestamp"]))
    first_sent_at = _moment_or_none(_attribute(record, "log-sent-at"))
    message_id = record["messageId"]
    return Envelope(
        message_id=message_id,
        log_id=id_from(_attribute(record, "log-id")) or uuid.uuid5(ID_NAMESPACE, message_id).hex,
        sent_at=min(sent_at, first_sent_at) if first_sent_at else sent_at,
        sender=attributes.get("SenderId"),
    )


def _attribute(record: Mapping[str, Any], name: str) -> str | None:
    value: str | None = record.get("messageAttributes", {}).get(name, {}).get("stringValue")
    return value


def _moment_or_none(text: str | None) -> datetime | None:
    try:
        return times.parse(text) if text else None
    except ValueError:
        return None
