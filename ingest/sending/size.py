"""The size limit of SQS: serialize a log, then compress or truncate it."""

import base64
import hashlib
import json
import zlib
from contextlib import suppress
from typing import Any

from ingest.messages import DEFLATE, MAX_INFLATED_BYTES
from ingest.sending.serialize import convert
from ingest.wire import sqs

# A truncated value keeps this many characters of its beginning.
PREVIEW_CHARACTERS = 1_000
# These fields identify a log, so they are truncated last.
IDENTITY_FIELDS = ("id", "created_at", "account_id", "user_id", "type", "sub_type")

# Module-level encoders, because json.dumps builds a new one at each call.
_STRICT_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))
_LENIENT_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"), default=convert)


def encode(fields: dict[str, Any]) -> str:
    """Return fields of JSON types as a message body, in ASCII.

    Other characters are escaped, because SQS rejects those outside XML 1.0. Raise ValueError for NaN.
    """
    return _STRICT_ENCODER.encode(fields)


def dumps(fields: Any) -> str:
    """Return any fields, or one value, as JSON in ASCII. Never raise.

    `convert` converts the values that JSON lacks. Most logs have few, so the C encoder of json calls it
    for those only. The encoder fails on circular references, NaN and keys of other types. `convert` then
    converts the whole log, which is slower.
    """
    with suppress(Exception):
        return _LENIENT_ENCODER.encode(fields)
    return encode(convert(fields))


def oversize(body: str) -> str | None:
    """Return the size of a body that is too large for SQS, or None.

    The body must be ASCII. The size is a text for a message, such as `1,100,000 bytes of 1,048,576`.
    """
    size = len(body)
    return f"{size:,} bytes of {sqs.MAX_BYTES:,}" if size > sqs.MAX_BYTES else None


def compress(body: str) -> str | None:
    """Return a compressed body, which the writer decompresses, or None.

    None means that the body exceeds the limit of the writer, or SQS's limit even compressed.
    """
    if len(body) > MAX_INFLATED_BYTES:
        return None
    compressed = base64.b64encode(zlib.compress(body.encode())).decode()
    return encode({DEFLATE: compressed}) if len(compressed) + len(DEFLATE) + 7 <= sqs.MAX_BYTES else None


def truncate(fields: dict[str, Any]) -> str:
    """Return a body within SQS's limit, with large values truncated.

    The payload is truncated first, then the other fields from the largest to the smallest, and
    IDENTITY_FIELDS last. Each truncated value ends in a note with its original size and SHA-256.
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
