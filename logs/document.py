"""What does not fit in attributes of its own: packed into `LogItem.document`, and joined again."""

import json
import zlib
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

PLAIN, ZLIB = b"j", b"z"


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
    """Return what `pack` packed. Raises ValueError where the bytes are of no known format."""
    form, body = data[:1], data[1:]
    if form not in (PLAIN, ZLIB):
        raise ValueError(f"a document begins with {PLAIN!r} or {ZLIB!r}, not {form!r}")
    document: Document = json.loads(zlib.decompress(body) if form == ZLIB else body)
    return document


def content(item: LogItem) -> dict[str, Any]:
    """Return what the sender said, whole, from an item read by its primary key.

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
