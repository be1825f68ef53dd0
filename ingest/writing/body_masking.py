"""Mask the body of a message before it is stored or dead-lettered."""

import json

from ingest import messages
from ingest.masking import masker
from ingest.masking.encodings import deflate
from ingest.wire import sqs
from ingest.writing import dead_letters

# An invalid LOGS_MASK ends the writer at its start, before it receives a message.
masker.from_environment()


def mask_body(body: str) -> str:
    """Return a body with the values masked that LOGS_MASK names.

    The body itself is returned if nothing matches. A wrapped, encoded or compressed body keeps its form. A
    body that would be too large for a dead letter is compressed.
    """
    masked = masker.from_environment().body(body)
    max_bytes = sqs.MAX_BYTES - dead_letters.MAX_ATTRIBUTE_BYTES
    if len(masked) <= len(body) or len(masked.encode(errors="replace")) <= max_bytes:
        return masked
    # The writer decompresses once.
    return masked if messages.may_be_compressed(body) else json.dumps({messages.DEFLATE: deflate(masked)})
