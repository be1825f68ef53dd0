"""White space, byte order marks and lone surrogates in a message."""

import re
from collections.abc import Mapping
from typing import Any

BYTE_ORDER_MARK = "\ufeff"
# White space to other languages and to readers, but not to `str.strip`: zero width space, word joiner and
# zero width no-break space (the byte order mark).
ZERO_WIDTH = "\u200b\u2060\ufeff"
# Every character c with c.isspace(): `str.strip` removes them if it gets no argument.
SPACES = "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)

# The extra field of a log that counts its replaced lone surrogates.
REPLACED_SURROGATES = "_replaced_surrogates"
REPLACEMENT, REPLACEMENT_ESCAPE = "\ufffd", r"\ufffd"

_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
# JSON up to the next escape of a lone surrogate: other characters and escapes, and pairs. Possessive
# quantifiers never backtrack, so no text makes a match slow.
_WHOLE_CHARACTERS = re.compile(
    r"(?:[^\\]++"
    r"|\\(?:[^u]|u(?![dD][89a-fA-F]))"
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})*+",
    re.DOTALL,
)


def strip(text: str) -> str:
    """Return a value without white space and zero-width characters at its ends.

    The rule for each value that a filter compares. `logs.characters.strip` is the same function.
    """
    return text.strip(SPACES + ZERO_WIDTH)


def strip_byte_order_mark(text: str) -> str:
    """Return a JSON text without byte order marks at its beginning."""
    stripped = text.lstrip(" \t\r\n")
    return stripped.lstrip(BYTE_ORDER_MARK) if stripped.startswith(BYTE_ORDER_MARK) else text


def replace_surrogates(text: str) -> tuple[str, int]:
    r"""Return a JSON text with U+FFFD for each lone surrogate, and their number.

    Surrogates are characters or escapes such as `\udc00`. Both halves of a pair stay one character. Takes
    linear time, and memory for a copy of the text.
    """
    count = 0
    if not text.isascii() and _SURROGATE.search(text):
        pairs = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        text, count = _SURROGATE.subn(REPLACEMENT, pairs)
    if not _SURROGATE_ESCAPE.search(text):
        return text, count
    parts, position = [], 0
    while match := _WHOLE_CHARACTERS.match(text, position):
        parts.append(match[0])
        if not (lone := _SURROGATE_ESCAPE.match(text, match.end())):
            parts.append(text[match.end() :])  # nothing, or an invalid escape
            break
        parts.append(REPLACEMENT_ESCAPE)
        position = lone.end()
        count += 1
    return "".join(parts), count


def note_surrogates(fields: Mapping[str, Any], count: int) -> dict[str, Any]:
    """Return fields with the number of their replaced surrogates.

    It is an extra field that the sender did not set, and is missing if the number is 0.
    """
    name = REPLACED_SURROGATES
    while name in fields:
        name = f"_{name}"
    return {**fields, name: count} if count else dict(fields)
