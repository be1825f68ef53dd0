"""Compressed messages: a body over SQS's limit as `{"_deflate": "<base64 of its zlib-compressed JSON>"}`."""

import base64
import re
import zlib

from ingest.wire.rejection import NOT_JSON, InvalidMessage

DEFLATE = "_deflate"
# zlib can compress 800 MB into a message of 1 MiB.
MAX_INFLATED_BYTES = 16 * 1024 * 1024


def _encoded(text: str) -> set[str]:
    """Return the characters of base64 that stand for a text alone, at each of its three offsets."""
    data = text.encode()
    return {
        base64.b64encode(b"\0" * offset + data).decode()[-(-offset * 8 // 6) : (offset + len(data)) * 8 // 6]
        for offset in range(3)
    }


# The name as text, and in base64, which an AWS service may encode once more.
_ENCODED = _encoded(DEFLATE)
_ESCAPED_NAME = re.compile(r'[\s\ufeff]*\{\s*"[^"]*\\')
_MARKS = (DEFLATE, *sorted(_ENCODED), *sorted(set().union(*map(_encoded, _ENCODED))))


def may_be_compressed(body: str) -> bool:
    """Return whether a body may be compressed, without parsing it. Few other bodies are included.

    The compressed log may be wrapped, or in base64.
    """
    if not body.lstrip("\ufeff \t\r\n").startswith(("{", "[", '"')):
        body = "".join(body.split())  # base64 may have line ends
    # A loop: the writer calls this three times for each message, and `any` takes twice the time.
    for mark in _MARKS:
        if mark in body:
            return True
    # A name with an escape may be DEFLATE in another spelling.
    return _ESCAPED_NAME.match(body) is not None


def inflate(compressed: object) -> str:
    """Return the decompressed text. Raise InvalidMessage (`not_deflated` or `not_json`)."""
    rule = f"must be base64 of zlib-compressed JSON of at most {MAX_INFLATED_BYTES:,} bytes"
    error = InvalidMessage("not_deflated", {DEFLATE: [rule]})
    if not isinstance(compressed, str):
        raise error
    try:
        stream = zlib.decompressobj()
        data = stream.decompress(base64.b64decode(compressed, validate=True), MAX_INFLATED_BYTES)
    except (ValueError, zlib.error):
        raise error from None
    if not stream.eof:
        raise error
    try:
        # Some encoders write each surrogate as three bytes. Both halves of a pair are joined later.
        return data.decode(errors="surrogatepass")
    except UnicodeDecodeError:
        raise InvalidMessage("not_json", NOT_JSON) from None
