"""A line of NDJSON as a log that is ready to be sent, always under the same id."""

import json
import uuid
from dataclasses import dataclass
from typing import Any

from ingest import messages
from ingest.messages import ID_NAMESPACE, InvalidMessage
from ingest.sending import size
from ingest.sending.batches import Log
from ingest.wire import attributes

# What a message inflates to at most; a longer line is no log.
MAX_LINE_BYTES = messages.MAX_INFLATED_BYTES
# What is sent of a line that is no log: it leaves the writer room for its reason.
MAX_BODY_BYTES = 1_000_000


@dataclass(frozen=True)
class Line(Log):
    """A log that stood in a file: where its line begins, by number or offset, and where the next one does."""

    place: int
    end: int


def read(line: bytes, place: int, end: int, source: str) -> Line:
    """Return a line as the log that it says.

    One that names no `id` gets one of its text, its place and its `source`: sent again, it is the same log.
    One that names no `created_at` gets none: the writer takes SQS's time. Raises InvalidMessage, as
    `messages.parse`, and with the code `too_large` where not even the compressed form is a message.
    """
    if len(line) > MAX_LINE_BYTES:
        raise InvalidMessage("too_large", {"body": [f"must have at most {MAX_LINE_BYTES:,} bytes"]})
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise InvalidMessage("not_json", {"body": ["must be JSON in UTF-8"]}) from None
    messages.parse(text)
    fields: dict[str, Any] = json.loads(text)
    if messages.DEFLATE not in fields and fields.get("id") is None:
        fields["id"] = uuid.uuid5(ID_NAMESPACE, f"{source}:{place}:{text}").hex
    body = size.encode(fields)
    if size.oversize(body):
        body = size.compress(body) or ""
    if not body:
        raise InvalidMessage("too_large", {"body": ["must have at most 1 MiB, compressed if need be"]})
    return Line(str(fields.get("id", "")), body, place, end)


def as_it_is(line: bytes, place: int, end: int) -> Line:
    """Return a line that is no log as a message all the same: a dead letter, which loses nothing.

    Characters that SQS does not take are replaced, and what is over 1 MiB is cut.
    """
    text = attributes.NOT_XML.sub("�", line.decode(errors="replace"))
    return Line("", text.encode()[:MAX_BODY_BYTES].decode(errors="ignore"), place, end)
