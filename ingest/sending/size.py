"""A log as the body of a message, whatever its size: compressed, or cut where that is not enough."""

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ingest.messages import DEFLATE, MAX_INFLATED_BYTES
from ingest.sending.serialize import plain
from ingest.wire import sqs

# What a value that was cut keeps of its beginning, and what the fields that name the log may have at most.
KEPT_CHARACTERS = 1_000
NAMES = ("id", "created_at", "account_id", "user_id", "type", "sub_type")


# One for all: json.dumps makes a new one at each call.
_PLAIN_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))
_ANY_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"), default=plain)


def body(fields: dict[str, Any]) -> str:
    """Return the fields as JSON in ASCII: SQS refuses the characters that XML forbids."""
    return _PLAIN_ENCODER.encode(fields)


def written(fields: Mapping[str, Any]) -> str:
    """Return any fields as a body; what JSON does not know is written as `plain` says.

    Most logs are JSON but for a value or two: json's C encoder writes those faster than Python walks through
    them. What it cannot take (a value that holds itself, NaN, keys of other kinds) `plain` can.
    """
    with suppress(Exception):
        return _ANY_ENCODER.encode(fields)
    return body(plain(fields))


def excess(text: str) -> str | None:
    """Say how much too large a body in ASCII is for SQS, or return None."""
    size = len(text)
    return f"{size:,} bytes of {sqs.MAX_BYTES:,}" if size > sqs.MAX_BYTES else None


def compressed(text: str) -> str | None:
    """Return a body in the form that the writer inflates, or None where that is too large as well."""
    if len(text) > MAX_INFLATED_BYTES:
        return None
    packed = base64.b64encode(zlib.compress(text.encode())).decode()
    return body({DEFLATE: packed}) if len(packed) + len(DEFLATE) + 7 <= sqs.MAX_BYTES else None


def cut(fields: dict[str, Any]) -> str:
    """Return a body that fits: the payload, then whatever else is large, each as a beginning and a note.

    The note tells the size and the SHA-256 of what was there.
    """
    kept = dict(fields)
    size = len(body(kept))
    sizes = {name: len(body({name: value})) for name, value in kept.items()}
    others = sorted(kept.keys() - {"payload", *NAMES}, key=lambda name: -sizes[name])
    for name in ["payload", *others, *reversed(NAMES)]:
        if size <= sqs.MAX_BYTES:
            return body(kept)
        if name in kept:
            kept[name] = _note(kept[name])
            size += len(body({name: kept[name]})) - sizes[name]
    if size <= sqs.MAX_BYTES:
        return body(kept)
    # Tens of thousands of fields: their names alone are too much.
    few = {name: kept[name] for name in NAMES if name in kept}
    return body({**few, "url": "", "payload": _note(fields)})


def _note(value: Any) -> Any:
    text = value if isinstance(value, str) else body({"": value})[4:-1]
    if len(text) <= KEPT_CHARACTERS:
        return value
    whole = text.encode()
    digest = hashlib.sha256(whole).hexdigest()
    return f"{text[:KEPT_CHARACTERS]}… (cut: {len(whole)} bytes, SHA-256 {digest})"
