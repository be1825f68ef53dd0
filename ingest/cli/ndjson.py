"""A line of NDJSON as an outgoing log, always with the same id."""

import json
import uuid
from dataclasses import dataclass
from typing import Any

from ingest import messages
from ingest.cli.file_format import strip_marks
from ingest.messages import ID_NAMESPACE, InvalidMessage
from ingest.sending import size
from ingest.sending.outgoing import OutgoingLog
from ingest.wire import attributes
from ingest.wire.characters import REPLACEMENT, strip_byte_order_mark

# The writer decompresses a message to at most this size, so a longer line cannot be sent.
MAX_LINE_BYTES = messages.MAX_INFLATED_BYTES
# An invalid line is truncated to this size, which leaves space for the writer's rejection attributes.
MAX_INVALID_BYTES = 1_000_000
NUL_BYTES = "must be JSON in UTF-8 without NUL bytes; it may be in UTF-16"
CONVERT = "if it is in Windows-1252: iconv -f WINDOWS-1252 -t UTF-8"


@dataclass(frozen=True)
class Line(OutgoingLog):
    """A log from a line of a file.

    `place` is the position of the line, `end` that of the next line. Both are line numbers or byte offsets.
    """

    place: int
    end: int


def strip_line(line: bytes) -> bytes:
    """Return a line without its line end.

    Byte order marks and record separators at its start are removed too. A blank line is an empty text.
    """
    text = strip_marks(line.rstrip(b"\r\n"))
    return text if text.strip() else b""


def parse_line(line: bytes, place: int, end: int, source: str) -> Line:
    """Return the log in a line.

    A missing `id` is derived from the text, the place and the source, so sending a line again is idempotent.
    The source has to be a secret: with a predictable id, another sender could store another log first.
    A missing `created_at` stays missing: the writer uses the time when SQS received the message.

    Raise InvalidMessage with the codes of `messages.parse`, or `too_large` if the line exceeds SQS's limit
    even compressed.
    """
    if len(line) > MAX_LINE_BYTES:
        raise InvalidMessage("too_large", {"body": [f"must have at most {MAX_LINE_BYTES:,} bytes"]})
    text = decode(line)
    log, wrapper = messages.unwrap(text)
    messages.validate(log, wrapper)
    new_id = uuid.uuid5(ID_NAMESPACE, f"{source}:{place}:{line.decode(errors='replace')}").hex
    try:
        # Every value stays as it is, also if the writer will not parse it.
        log_id, body = _encode(log if wrapper else json.loads(strip_byte_order_mark(text)), new_id)
    except (TypeError, ValueError, RecursionError):
        # The line is encoded, or has values that only the writer can leave as text, such as 1e400.
        log_id, body = _encode(log, new_id)
    if size.oversize(body):
        body = size.compress(body) or ""
    if not body:
        raise InvalidMessage("too_large", {"body": ["must have at most 1 MiB after compression"]})
    return Line(log_id, body, place, end)


def decode(line: bytes) -> str:
    """Return the text of a line, with surrogates that are encoded as if they were characters.

    The writer replaces and counts them. Raise InvalidMessage for another encoding than UTF-8, and for NUL
    bytes.
    """
    if b"\0" in line:
        raise InvalidMessage("not_json", {"body": [NUL_BYTES]})
    try:
        return line.decode(errors="surrogatepass")
    except UnicodeDecodeError as error:
        rule = f"must be JSON in UTF-8, but byte {error.start + 1} is not; {CONVERT}"
        raise InvalidMessage("not_json", {"body": [rule]}) from None


def _encode(fields: Any, new_id: str) -> tuple[str, str]:
    """Return the id and the body of a log. The id is empty if it is compressed.

    Raise TypeError, ValueError or RecursionError for a value that is no object, or not JSON.
    """
    if not isinstance(fields, dict):
        raise TypeError("not an object")
    if messages.DEFLATE not in fields and fields.get("id") is None:
        fields = {**fields, "id": new_id}
    return str(fields.get("id", "")), size.encode(fields)


def invalid_line(line: bytes, place: int, end: int) -> Line:
    """Return an invalid line as a message, which will become a dead letter.

    So no line is lost. Characters that SQS rejects and bytes that are not UTF-8 are replaced, and the text is
    truncated to MAX_INVALID_BYTES. If that would make it valid, U+FFFD comes before it.
    """
    text = attributes.NOT_XML.sub(REPLACEMENT, line.decode(errors="replace"))
    text = text.encode()[:MAX_INVALID_BYTES].decode(errors="ignore")
    return Line("", text if _is_rejected(text) else REPLACEMENT + text, place, end)


def _is_rejected(text: str) -> bool:
    """Return whether the writer certainly rejects a message."""
    try:
        messages.parse(text)
    except Exception as error:  # noqa: BLE001  an unexpected one may be the reason that the line is invalid
        return isinstance(error, InvalidMessage)
    return False
