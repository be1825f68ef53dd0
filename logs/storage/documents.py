"""The document of a log: everything that exceeds its attributes, packed into `LogItem.document`.

The first byte of a packed document names its format:

    j  JSON
    z  JSON, compressed by zlib
    p  parts: their number (2 bytes), the SHA-256 of the whole document (32 bytes) and its first bytes;
       the part items of the same table hold the rest
"""

import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from logs.models import CONTEXT_FIELDS, LogItem

# The fields that a sender may set, beside the payload. All other fields of a message are `extra`.
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
    *CONTEXT_FIELDS,
)

PLAIN, ZLIB, PARTS = b"j", b"z", b"p"
COUNT_BYTES, HASH_BYTES = 2, hashlib.sha256().digest_size
HEADER_BYTES = len(PARTS) + COUNT_BYTES + HASH_BYTES
# The bytes of a document in one item. An item holds 400 KB (409,600 bytes) with names and values, and the
# other attributes of a log take 20 KB at most:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
CHUNK_BYTES = 380_000
# The most that a document decompresses to. A message has 16 MiB at most (`ingest.messages`). As text within
# JSON, each of its quotes and backslashes takes two bytes.
MAX_DOCUMENT_BYTES = 40 * 1024 * 1024
# A larger document is serialized and compressed in slices of this size.
SLICE_CHARACTERS = 64 * 1024


class Damaged(Exception):
    """A document is incomplete, damaged or too large."""


class DocumentTooLarge(ValueError):
    """A document has more than MAX_DOCUMENT_BYTES."""


class Document(TypedDict, total=False):
    """The content of a packed document; keys without content are omitted."""

    payload: str  # the payload's text, if it exceeds its attribute
    extra: str  # the fields of the message that Logsite does not know, as JSON
    texts: dict[str, str]  # by field: the whole text, if its attribute is truncated
    created_at: str  # the time that the sender gave, if its clock was wrong


def pack(document: Document) -> bytes:
    """Serialize a document: one byte for the format, then JSON. It is compressed if that is smaller.

    A large document is always compressed, in slices: as one text, 16 MiB with one wide character would take
    64 MiB for each copy. Raises DocumentTooLarge.
    """
    if _is_large(document):
        return b"".join(_compress(document))
    plain = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    compressed = zlib.compress(plain)
    return ZLIB + compressed if len(compressed) < len(plain) else PLAIN + plain


def _is_large(document: Document) -> bool:
    texts = [document.get("payload", ""), document.get("extra", ""), *document.get("texts", {}).values()]
    return sum(map(len, texts)) > SLICE_CHARACTERS


def _compress(document: Document) -> Iterator[bytes]:
    compressor = zlib.compressobj()
    size = 0
    yield ZLIB
    for chunk in _encode(document):
        size += len(chunk)
        if size > MAX_DOCUMENT_BYTES:
            raise DocumentTooLarge(f"the document has more than {MAX_DOCUMENT_BYTES:,} bytes")
        yield compressor.compress(chunk)
    yield compressor.flush()


def _encode(value: object) -> Iterator[bytes]:
    """Yield the compact JSON of a text, or of a dict of texts and dicts, in UTF-8."""
    if isinstance(value, dict):
        separator = b"{"
        for name, member in value.items():
            yield separator + json.dumps(name).encode() + b":"
            yield from _encode(member)
            separator = b","
        yield b"}"
    elif isinstance(value, str):
        yield b'"'
        for start in range(0, len(value), SLICE_CHARACTERS):
            yield json.dumps(value[start : start + SLICE_CHARACTERS], ensure_ascii=False)[1:-1].encode()
        yield b'"'


def unpack(data: bytes) -> Document:
    """Return the document that `pack` packed.

    Payload and extra fields stay text, so that reading one never builds their JSON values. Raises Damaged for
    more than MAX_DOCUMENT_BYTES, ValueError for any other format, and for parts.
    """
    document: Document = json.loads(decompress(data))
    return document


def decompress(data: bytes, max_bytes: int = MAX_DOCUMENT_BYTES) -> bytes:
    """Return the JSON of a packed document. Raises Damaged for more than `max_bytes`, or like `unpack`."""
    form, body = data[:1], data[1:]
    if form not in (PLAIN, ZLIB):
        raise ValueError(f"a whole document begins with {PLAIN!r} or {ZLIB!r}, not {form!r}")
    if form == PLAIN:
        return body
    stream = zlib.decompressobj()
    plain = stream.decompress(body, max_bytes)
    if not stream.eof:
        raise Damaged(f"its document has more than {max_bytes:,} bytes, or is cut off")
    return plain


def has_parts(data: bytes | None) -> bool:
    """Return whether a packed document exceeds one item."""
    return data is not None and len(data) > CHUNK_BYTES


def split(log_id: str, data: bytes) -> tuple[bytes, dict[str, bytes]]:
    """Split a packed document into the log's own item and its parts by id.

    The ids contain the document's hash, so that another document never overwrites a part of this one.
    """
    if not has_parts(data):
        return data, {}
    first = CHUNK_BYTES - HEADER_BYTES
    chunks = [data[start : start + CHUNK_BYTES] for start in range(first, len(data), CHUNK_BYTES)]
    count = len(chunks).to_bytes(COUNT_BYTES, "big")
    head = PARTS + count + hashlib.sha256(data).digest() + data[:first]
    return head, dict(zip(part_ids(log_id, head), chunks, strict=True))


def part_ids(log_id: str, data: bytes | None) -> list[str]:
    """Return the ids of a document's part items, in order."""
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


@dataclass(frozen=True)
class Content:
    """The content of a log, with payload and extra fields as text.

    `fields` has each of SENDER_FIELDS, a text or None. `sent_created_at` is the sender's own time, if the log
    has another time.
    """

    fields: dict[str, str | None]
    payload_text: str | None
    payload_is_json: bool
    extra_text: str | None
    sent_created_at: str | None
    # Why parts of the log are lost, or None.
    damage: str | None = None

    @property
    def payload(self) -> Any:
        """Return the payload as sent: a text, or a JSON value. Takes memory for each JSON node."""
        return (
            json.loads(self.payload_text) if self.payload_text and self.payload_is_json else self.payload_text
        )

    @property
    def extra(self) -> dict[str, Any]:
        """Return the fields that Logsite does not know. Takes memory for each JSON node."""
        extra: dict[str, Any] = json.loads(self.extra_text) if self.extra_text else {}
        return extra

    @property
    def size(self) -> int:
        """Return the number of characters of payload and extra fields."""
        return len(self.payload_text or "") + len(self.extra_text or "")


def with_values(fields: dict[str, Any], content: Content) -> str:
    """Return fields, payload and extra fields as one JSON object.

    The stored texts are JSON already. They are not parsed, so the memory depends on their size alone.
    """
    payload = content.payload_text
    if payload is None or not content.payload_is_json:
        payload = json.dumps(payload, ensure_ascii=False)
    head = json.dumps(fields, ensure_ascii=False)
    return f'{head[:-1]}, "payload": {payload}, "extra": {content.extra_text or "{}"}}}'


def content(item: LogItem) -> Content:
    """Return the sender's fields, whole, from an item with joined parts.

    A document that cannot be read is left out, and `damage` says why.
    """
    document, damage = Document(), item.damage
    if item.document is not None:
        try:
            document = unpack(item.document)
        except (Damaged, ValueError, zlib.error) as error:
            damage = str(error)
    texts = document.get("texts", {})
    # Attributes one by one would take four times as long.
    values = {**item.attribute_values, **(item.context.attribute_values if item.context else {})}
    return Content(
        fields={name: texts.get(name, values.get(name)) for name in SENDER_FIELDS},
        payload_text=document.get("payload", item.payload),
        payload_is_json=item.payload_type == "json",
        extra_text=document.get("extra"),
        sent_created_at=document.get("created_at"),
        damage=damage,
    )
