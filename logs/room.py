"""How much an answer may hold: a Lambda function's is JSON of 6 MB, in which a body stands as text or base64.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

import json
from dataclasses import dataclass

from django.utils.html import escape

BLOCK = 10_000


@dataclass(frozen=True)
class Shown:
    """A text as a page shows it; `whole` is how many characters it has, where these are not all."""

    text: str
    whole: int | None = None


def carried(text: str) -> int:
    """Return how many bytes a text takes in a function's answer, whichever way it is carried there."""
    # With escapes for what is not ASCII, as the older of Lambda's Pythons writes them.
    return max(len(json.dumps(text)), carried_binary(len(text.encode(errors="replace"))))


def carried_binary(size: int) -> int:
    """Return how many bytes so many take as base64."""
    return (size + 2) // 3 * 4


def shown(text: str, room: int) -> Shown:
    """Return of a text what takes up to `room` bytes of an answer, once it is escaped for HTML.

    The end is cut off by blocks of 10,000 characters.
    """
    used = 0
    for start in range(0, len(text), BLOCK):
        used += carried(str(escape(text[start : start + BLOCK])))
        if used > room:
            return Shown(text[:start], len(text))
    return Shown(text)
