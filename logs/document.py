"""What does not fit in attributes of its own: packed into `LogItem.document`, and joined again.

A packed document is one byte that names its form, and what that form says:

    j  JSON
    z  JSON, compressed by zlib
    p  parts: their number (2 bytes), the SHA-256 of the whole document (32 bytes), and its beginning;
       the rest stands in part items of the same table
"""

import hashlib
import json
import zlib
from collections.abc import Mapping
from typing import Any, TypedDict

from logs.models import LogItem

# The fields a sender may set, beside the payload; what else a message holds is `extra`.
SENDER_FIELDS = (
    "account_id",
    "user_id",
    "type",
    "sub_type",
    "url",
    "submitter_id",
    "submitter_country",
    "submitter_city",
    "submitter_platform",
    "submitter_browser",
    "submitter_agent",
)

PLAIN, ZLIB, PARTS = b"j", b"z", b"p"
COUNT_BYTES, HASH_BYTES = 2, hashlib.sha256().digest_size
HEADER_BYTES = len(PARTS) + COUNT_BYTES + HASH_BYTES
# What one item holds of a document. It takes 400 KB (409,600 bytes) with names and values, and a log's
# other attributes have 20 KB at most:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
CHUNK_BYTES = 380_000


class Damaged(Exception):
    """A part of a document is missing, or the parts do not make up what was stored."""


class Document(TypedDict, total=False):
    """The content of a packed document; a key that is not needed is left out."""

    payload: str  # the payload's text, where it is too long for the attribute
    extra: dict[str, Any]  # the fields of the message that the table does not know
    texts: dict[str, str]  # by field: the whole of a text that its attribute holds cut
    created_at: str  # the sender's own time, where it was a wrong clock's


def pack(document: Document) -> bytes:
    """Return the document as one byte that names the format, and JSON, compressed where that is smaller."""
    plain = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    compressed = zlib.compress(plain)
    return ZLIB + compressed if len(compressed) < len(plain) else PLAIN + plain


def unpack(data: bytes) -> Document:
    """Return what `pack` packed. Raises ValueError where the bytes are of no known form, or in parts."""
    form, body = data[:1], data[1:]
    if form not in (PLAIN, ZLIB):
        raise ValueError(f"a whole document begins with {PLAIN!r} or {ZLIB!r}, not {form!r}")
    document: Document = json.loads(zlib.decompress(body) if form == ZLIB else body)
    return document


def split(log_id: str, data: bytes) -> tuple[bytes, dict[str, bytes]]:
    """Divide a packed document: what goes into the log's own item, and by id what goes into part items.

    The ids hold the document's hash, so that another document never overwrites a part of this one.
    """
    if len(data) <= CHUNK_BYTES:
        return data, {}
    first = CHUNK_BYTES - HEADER_BYTES
    chunks = [data[start : start + CHUNK_BYTES] for start in range(first, len(data), CHUNK_BYTES)]
    count = len(chunks).to_bytes(COUNT_BYTES, "big")
    head = PARTS + count + hashlib.sha256(data).digest() + data[:first]
    return head, dict(zip(part_ids(log_id, head), chunks, strict=True))


def part_ids(log_id: str, data: bytes | None) -> list[str]:
    """Return the ids of the items in which a document goes on, in order; none where it is whole."""
    if data is None or data[:1] != PARTS:
        return []
    count = int.from_bytes(data[1 : 1 + COUNT_BYTES], "big")
    digest = data[1 + COUNT_BYTES : HEADER_BYTES].hex()
    return [f"{log_id}#{digest[:16]}#{number}" for number in range(1, count + 1)]


def join(log_id: str, head: bytes, parts: Mapping[str, bytes]) -> bytes:
    """Return the packed document that was split. Raises Damaged."""
    ids = part_ids(log_id, head)
    if missing := [str(number) for number, part_id in enumerate(ids, 1) if part_id not in parts]:
        raise Damaged(f"part {', '.join(missing)} of {len(ids)} is missing")
    data = head[HEADER_BYTES:] + b"".join(parts[part_id] for part_id in ids)
    if hashlib.sha256(data).digest() != head[HEADER_BYTES - HASH_BYTES : HEADER_BYTES]:
        raise Damaged(f"the {len(ids)} parts are not those that were stored")
    return data


def content(item: LogItem) -> dict[str, Any]:
    """Return what the sender said, whole, from an item that `logs.reader` has read and joined.

    The keys: each of SENDER_FIELDS (a text or None), `payload` (the value as it was sent: a text, or what
    the JSON held), `payload_text` (the same as text, or None), `extra` (a dict) and `sent_created_at`
    (a text, where the log is filed under another time than the sender said).
    """
    document = unpack(item.document) if item.document is not None else Document()
    texts = document.get("texts", {})
    fields: dict[str, Any] = {name: texts.get(name, getattr(item, name)) for name in SENDER_FIELDS}
    text = document.get("payload", item.payload)
    fields["payload_text"] = text
    fields["payload"] = json.loads(text) if text is not None and item.payload_type == "json" else text
    fields["extra"] = document.get("extra", {})
    fields["sent_created_at"] = document.get("created_at")
    return fields
