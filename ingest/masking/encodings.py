"""Base64 and compressed logs within a text that is masked."""

import base64
import re
import zlib

from ingest.messages import MAX_INFLATED_BYTES, InvalidMessage, may_be_compressed
from ingest.wire.compression import inflate

# A shorter text in base64 is decoded only if it is the whole body: an id has up to 32 hex digits, and most
# logs have one. A backslash is an escape of JSON, such as `\/` of PHP or `\u002B` of .NET.
_RUN = re.compile(r"\s*+[A-Za-z0-9+/\\]{33}")
_QUOTED_RUN = re.compile(r'"\s*+[A-Za-z0-9+/\\]{33}')


def may_have_base64(text: str) -> bool:
    """Return whether a text may be, or contain, base64 in JSON.

    Much faster than decoding the strings: the client calls it for each log.
    """
    return _RUN.match(text) is not None or _QUOTED_RUN.search(text) is not None


def to_base64(text: str) -> str:
    """Return a text in base64."""
    return base64.b64encode(text.encode(errors="replace")).decode()


class Inflater:
    """Decompresses the compressed logs in one body.

    It stops after MAX_INFLATED_BYTES in all, and does nothing unless the writer reserves memory for it: see
    `may_be_compressed`.
    """

    def __init__(self, body: str) -> None:
        self._body = body
        self._remaining: int | None = None

    def inflate(self, text: str) -> str | None:
        """Return the decompressed text, or None for invalid data or after the limit."""
        if self._remaining is None:
            self._remaining = MAX_INFLATED_BYTES if may_be_compressed(self._body) else 0
        if self._remaining <= 0:
            return None
        try:
            inflated = inflate(text)
        except InvalidMessage:
            return None
        self._remaining -= len(inflated)
        return inflated


def deflate(text: str) -> str:
    """Return a text as base64 of its zlib-compressed bytes, the inverse of `inflate`."""
    return base64.b64encode(zlib.compress(text.encode(errors="surrogatepass"))).decode()
