"""The size of a response. A Lambda function returns JSON of 6 MB with the body in it.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

import json
from dataclasses import dataclass

from django.utils.html import escape

from logs.characters import visible

BLOCK = 10_000
# Bytes of a character in a response, at most: an escape has up to 10 characters, which are 16 as base64.
MAX_CHARACTER_SIZE = 16


@dataclass(frozen=True)
class TruncatedText:
    """The beginning of a text, with escapes for invisible characters.

    `shown` is the number of its characters, `length` that of the whole text if it is truncated.
    """

    text: str
    shown: int
    length: int | None = None


def encoded_size(text: str) -> int:
    """Return the size of a text in a function's response, as text or base64."""
    # With escapes for characters outside ASCII, as Lambda's older runtimes write them.
    return max(len(json.dumps(text)), base64_size(len(text.encode(errors="replace"))))


def base64_size(size: int) -> int:
    """Return how many bytes a body of this size takes as base64."""
    return (size + 2) // 3 * 4


def truncate(text: str, limit: int, *, multiline: bool = False) -> TruncatedText:
    """Truncate a text to `limit` bytes of a response, escaped for HTML.

    The text is truncated by blocks of 10,000 characters. Invisible characters become escapes, as in
    `characters.visible`.
    """
    if MAX_CHARACTER_SIZE * len(text) < limit:
        return TruncatedText(visible(text, multiline=multiline), len(text))
    size = 0
    blocks: list[str] = []
    for start in range(0, len(text), BLOCK):
        block = visible(text[start : start + BLOCK], multiline=multiline)
        size += encoded_size(str(escape(block)))
        if size > limit:
            return TruncatedText("".join(blocks), start, len(text))
        blocks.append(block)
    return TruncatedText("".join(blocks), len(text))
