"""The types of a message's fields: validation, normalization and JSON Schema.

No error text contains the value, because values may be confidential and error texts are logged.
"""

import re
import unicodedata
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from ingest import times
from ingest.wire.characters import ZERO_WIDTH, strip

# Two keys of 500 bytes fit a partition key together, which DynamoDB limits to 2,048 bytes.
MAX_KEY_BYTES = 500


def parse_uuid(text: object) -> str | None:
    """Return a UUID in any common format as 32 hex digits, or None.

    Stricter than `uuid.UUID`, which also accepts `_`, spaces, and digits of other alphabets.
    """
    if not isinstance(text, str):
        return None
    digits = text.strip().lower().removeprefix("urn:uuid:").strip("{}").replace("-", "")
    return digits if re.fullmatch("[0-9a-f]{32}", digits) else None


def _validate_uuid(value: object) -> str | None:
    if value is None:
        return None
    if (digits := parse_uuid(value)) is None:
        raise PydanticCustomError("uuid", "must be a UUID, with or without hyphens")
    return digits


def validate_name(value: object) -> str:
    """Return an id as text. Senders use mostly integers, but DynamoDB's keys are strings."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return str(value)
    if isinstance(value, str) and (text := strip(value)):
        return text
    raise PydanticCustomError("name", "must be a non-negative integer or a non-empty text")


def _validate_optional_name(value: object) -> str | None:
    return None if value is None else validate_name(value)


def validate_without_controls(value: str) -> str:
    """Return a text without control characters."""
    if any(unicodedata.category(character) == "Cc" for character in value):
        raise PydanticCustomError("control", "must not contain control characters")
    return value


def _validate_key(value: str) -> str:
    validate_without_controls(value)
    if len(value.encode()) > MAX_KEY_BYTES:
        raise PydanticCustomError(
            "key_size", "must have at most {limit} bytes in UTF-8", {"limit": MAX_KEY_BYTES}
        )
    return value


def _validate_account(value: object) -> str:
    name = _validate_key(validate_name(value))
    if "#" in name:
        raise PydanticCustomError("account", "must not contain #")
    return name


def _validate_user(value: object) -> str:
    return _validate_key(validate_name(value))


def _validate_type(value: object) -> str:
    if not isinstance(value, str) or not (text := strip(value)):
        raise PydanticCustomError("type", "must be a non-empty text")
    return _validate_key(text)


def _validate_text(value: object) -> str:
    if not isinstance(value, str):
        raise PydanticCustomError("text", "must be a text")
    return value


def _validate_optional_text(value: object) -> str | None:
    return None if value is None else _validate_text(value)


def _validate_value(value: object) -> str:
    return strip(_validate_text(value))


def validate_optional_value(value: object) -> str | None:
    """Return a text or None. A text of white space only is the same as a missing one."""
    if value is None:
        return None
    text = _validate_value(value)
    return None if value and not text else text


def _validate_time(value: object) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, str):
        try:
            return times.parse(value)
        except ValueError:
            pass  # its text contains the value
    raise PydanticCustomError("time", "must be an ISO 8601 time such as 2026-11-23T22:44:00+00:00")


# JSON Schema counts characters, not bytes, so the descriptions state the limits in bytes.
_INTEGER: dict[str, object] = {"type": "integer", "minimum": 0}
NULL_SCHEMA: dict[str, object] = {"type": "null"}
_NO_CONTROLS = "\\u0000-\\u001f\\u007f-\\u009f"
# White space, and the zero-width characters that are removed with it.
_SPACE = "\\s" + "".join(f"\\u{ord(character):04x}" for character in ZERO_WIDTH)
NAME_SCHEMA: dict[str, list[dict[str, object]]] = {
    "anyOf": [_INTEGER, {"type": "string", "pattern": f"[^{_SPACE}]"}]
}
_ACCOUNT_SCHEMA = {
    "anyOf": [
        _INTEGER,
        {
            "type": "string",
            "maxLength": MAX_KEY_BYTES,
            "pattern": f"^[^#{_NO_CONTROLS}]*[^#{_NO_CONTROLS}{_SPACE}][^#{_NO_CONTROLS}]*$",
        },
    ],
    "description": f"0 means no account. At most {MAX_KEY_BYTES} bytes in UTF-8.",
}
_USER_SCHEMA = {
    "anyOf": [
        _INTEGER,
        {
            "type": "string",
            "maxLength": MAX_KEY_BYTES,
            "pattern": f"^[^{_NO_CONTROLS}]*[^{_NO_CONTROLS}{_SPACE}][^{_NO_CONTROLS}]*$",
        },
    ],
    "description": f"0 means no one. At most {MAX_KEY_BYTES} bytes in UTF-8.",
}
_TYPE_SCHEMA = {
    "type": "string",
    "maxLength": MAX_KEY_BYTES,
    "pattern": f"^[^{_NO_CONTROLS}]*[^{_NO_CONTROLS}{_SPACE}][^{_NO_CONTROLS}]*$",
    "description": f"At most {MAX_KEY_BYTES} bytes in UTF-8.",
}
_UUID_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": "^[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}$"},
        NULL_SCHEMA,
    ],
    "description": "A UUID. If missing, it is derived from SQS's message id.",
}
_TIME_SCHEMA = {
    "anyOf": [{"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].+)?$"}, NULL_SCHEMA],
    "description": (
        "ISO 8601. Without an offset: UTC. "
        "If missing, or more than 15 minutes ahead, the time when SQS received the message."
    ),
    "examples": ["2026-11-23T22:44:00+00:00"],
}

AccountId = Annotated[str, BeforeValidator(_validate_account), WithJsonSchema(_ACCOUNT_SCHEMA)]
UserId = Annotated[str, BeforeValidator(_validate_user), WithJsonSchema(_USER_SCHEMA)]
OptionalName = Annotated[
    str | None,
    BeforeValidator(_validate_optional_name),
    WithJsonSchema({"anyOf": [*NAME_SCHEMA["anyOf"], NULL_SCHEMA]}),
]
LogType = Annotated[str, BeforeValidator(_validate_type), WithJsonSchema(_TYPE_SCHEMA)]
Text = Annotated[str, BeforeValidator(_validate_text)]
OptionalText = Annotated[str | None, BeforeValidator(_validate_optional_text)]
# Texts that filters compare whole: without white space at their ends.
Value = Annotated[str, BeforeValidator(_validate_value)]
OptionalValue = Annotated[str | None, BeforeValidator(validate_optional_value)]
OptionalUuid = Annotated[str | None, BeforeValidator(_validate_uuid), WithJsonSchema(_UUID_SCHEMA)]
OptionalTime = Annotated[datetime | None, BeforeValidator(_validate_time), WithJsonSchema(_TIME_SCHEMA)]
