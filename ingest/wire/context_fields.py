"""The types of the fields of a log's context: address, request, object, summary.

No error text contains the value, as in `ingest.wire.fields`.
"""

import ipaddress
import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from ingest.wire.fields import (
    NAME_SCHEMA,
    NULL_SCHEMA,
    validate_name,
    validate_optional_value,
    validate_without_controls,
)

# An id of a request or of an object. In the partition key of ObjectIndex, two of them fit twice.
MAX_ID_BYTES = 200
MAX_SUMMARY_CHARACTERS = 160


def _validate_size(text: str) -> str:
    if len(text.encode()) > MAX_ID_BYTES:
        raise PydanticCustomError(
            "id_size", "must have at most {limit} bytes in UTF-8", {"limit": MAX_ID_BYTES}
        )
    return text


def _validate_request_id(value: object) -> str | None:
    text = validate_optional_value(value)
    return _validate_size(text) if text else None


def _validate_trace_id(value: object) -> str | None:
    """Return a trace id in lower case. Zeros are no id: https://www.w3.org/TR/trace-context/#trace-id"""
    text = validate_optional_value(value)
    if not text:
        return None
    digits = text.lower()
    if not re.fullmatch("[0-9a-f]{32}", digits) or not digits.strip("0"):
        raise PydanticCustomError("trace_id", "must be a trace id: 32 hex digits, not all of them 0")
    return digits


def _validate_ip(value: object) -> str | None:
    """Return an address in its shortest form. An IPv4 address within IPv6 is the IPv4 address."""
    text = validate_optional_value(value)
    if not text:
        return None
    try:
        address = ipaddress.ip_address(text.partition("%")[0])  # without the zone of a link-local address
    except ValueError:
        raise PydanticCustomError("ip", "must be an IPv4 or IPv6 address, without a port") from None
    mapped: object = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _validate_object_type(value: object) -> str | None:
    text = validate_optional_value(value)
    if not text:
        return None
    if ":" in text:
        raise PydanticCustomError("object_type", "must not contain :")
    return _validate_size(validate_without_controls(text))


def _validate_object_id(value: object) -> str | None:
    if value is None or value == "":
        return None
    return _validate_size(validate_without_controls(validate_name(value)))


def _validate_summary(value: object) -> str | None:
    text = validate_optional_value(value)
    if text and len(text) > MAX_SUMMARY_CHARACTERS:
        raise PydanticCustomError(
            "summary_size", "must have at most {limit} characters", {"limit": MAX_SUMMARY_CHARACTERS}
        )
    return text or None


def _schema(description: str, **rules: object) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"type": "string", **rules}, NULL_SCHEMA], "description": description})


_ID_SIZE = f"At most {MAX_ID_BYTES} bytes in UTF-8."

RequestId = Annotated[
    str | None,
    BeforeValidator(_validate_request_id),
    _schema(f"The same for all logs of a request. {_ID_SIZE}", maxLength=MAX_ID_BYTES),
]
TraceId = Annotated[
    str | None,
    BeforeValidator(_validate_trace_id),
    _schema("The trace id of W3C Trace Context: 32 hex digits.", pattern="^[0-9A-Fa-f]{32}$"),
]
IpAddress = Annotated[
    str | None, BeforeValidator(_validate_ip), _schema("An IPv4 or IPv6 address, without a port.")
]
ObjectType = Annotated[
    str | None,
    BeforeValidator(_validate_object_type),
    _schema(
        f"The kind of the object, such as `invoice`. {_ID_SIZE}", maxLength=MAX_ID_BYTES, pattern="^[^:]*$"
    ),
]
ObjectId = Annotated[
    str | None,
    BeforeValidator(_validate_object_id),
    WithJsonSchema(
        {
            "anyOf": [*NAME_SCHEMA["anyOf"], {"type": "string", "maxLength": 0}, NULL_SCHEMA],
            "description": f"The object's id within its type. {_ID_SIZE}",
        }
    ),
]
Summary = Annotated[
    str | None,
    BeforeValidator(_validate_summary),
    _schema(
        "One line for the listing. If missing, it is derived from the payload.",
        maxLength=MAX_SUMMARY_CHARACTERS,
    ),
]
