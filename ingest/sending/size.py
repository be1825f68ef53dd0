"""The message size limit of SQS: serialize a log, compress it, or truncate it as a last resort."""

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ingest.messages import DEFLATE, MAX_INFLATED_BYTES
from ingest.sending.serialize import to_jsonable
from ingest.wire import sqs

# A truncated value keeps this many characters of its beginning.
PREVIEW_CHARACTERS = 1_000
# These fields identify a log, so they are truncated last.
IDENTITY_FIELDS = ("id", "created_at", "account_id", "user_id", "type", "sub_type")

# Module-level encoders, because json.dumps builds a new one at each call.
_STRICT_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))
_LENIENT_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"), default=to_jsonable)


def encode(fields: dict[str, Any]) -> str:
    """Return fields of JSON types as a message body, in ASCII.

    SQS rejects characters outside XML 1.0, so all others are escaped.
    """
    return _STRICT_ENCODER.encode(fields)


def dumps(fields: Mapping[str, Any]) -> str:
    """Return any fields as a message body. `to_jsonable` converts types that JSON lacks.

    Most logs have few such values, and json's C encoder is faster than a walk in Python. It fails on circular
    references, NaN and keys of other types. Then `to_jsonable` converts the whole log.
    """
    with suppress(Exception):
        return _LENIENT_ENCODER.encode(fields)
    return encode(to_jsonable(fields))


def oversize(body: str) -> str | None:
    """Return a description of the size if an ASCII body is too large for SQS, or None."""
    size = len(body)
    return f"{size:,} bytes of {sqs.MAX_BYTES:,}" if size > sqs.MAX_BYTES else None


def compress(body: str) -> str | None:
    """Return a body compressed for the writer to inflate, or None if that is too large as well."""
    if len(body) > MAX_INFLATED_BYTES:
        return None
    compressed = base64.b64encode(zlib.compress(body.encode())).decode()
    return encode({DEFLATE: compressed}) if len(compressed) + len(DEFLATE) + 7 <= sqs.MAX_BYTES else None


def truncate(fields: dict[str, Any]) -> str:
    """Return a body within SQS's limit, with large values truncated.

    The payload is truncated first, then the other fields from the largest down, and IDENTITY_FIELDS last.
    Each truncated value ends in a note with its original size and SHA-256.
    """
    result = dict(fields)
    size = len(encode(result))
    sizes = {name: len(encode({name: value})) for name, value in result.items()}
    others = sorted(result.keys() - {"payload", *IDENTITY_FIELDS}, key=lambda name: -sizes[name])
    for name in ["payload", *others, *reversed(IDENTITY_FIELDS)]:
        if size <= sqs.MAX_BYTES:
            return encode(result)
        if name in result:
            result[name] = _truncate_value(result[name])
            size += len(encode({name: result[name]})) - sizes[name]
    if size <= sqs.MAX_BYTES:
        return encode(result)
    # With tens of thousands of fields, their names alone exceed the limit.
    identity = {name: result[name] for name in IDENTITY_FIELDS if name in result}
    return encode({**identity, "url": "", "payload": _truncate_value(fields)})


def _truncate_value(value: Any) -> Any:
    text = value if isinstance(value, str) else encode({"": value})[4:-1]
    if len(text) <= PREVIEW_CHARACTERS:
        return value
    data = text.encode()
    digest = hashlib.sha256(data).hexdigest()
    return f"{text[:PREVIEW_CHARACTERS]}… (cut: {len(data)} bytes, SHA-256 {digest})"
