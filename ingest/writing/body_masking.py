"""Mask the body of a message before it is stored or dead-lettered."""

import base64
import json
import zlib

from ingest import messages
from ingest.masking import masker
from ingest.wire import sqs
from ingest.writing import dead_letters

# An invalid LOGS_MASK ends the writer at its start, before it receives a message.
masker.from_environment()


def mask_body(body: str) -> str:
    """Return a body with the values masked that LOGS_MASK names.

    The body itself is returned if nothing matches. A compressed body is decompressed, masked and compressed
    again. So is a body that would be too large for a dead letter otherwise.
    """
    mask = masker.from_environment().body
    text = messages.decompress(body)
    masked = mask(text)
    if masked == text:
        return body
    max_bytes = sqs.MAX_BYTES - dead_letters.MAX_ATTRIBUTE_BYTES
    is_compressed = text is not body
    if is_compressed or (len(masked) > len(body) and len(masked.encode()) > max_bytes):
        return _compress(masked)
    return masked


def _compress(text: str) -> str:
    data = base64.b64encode(zlib.compress(text.encode(errors="replace"))).decode()
    return json.dumps({messages.DEFLATE: data})
