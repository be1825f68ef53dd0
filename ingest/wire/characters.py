"""White space, byte order marks and lone surrogates in a message."""

import json
import re
from collections.abc import Iterator, Mapping
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
# A text with more names is not parsed whole, so they are not compared.
MAX_NAMES = 100_000
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
# JSON up to the next name with a surrogate or U+FFFD.
_TO_NAME = re.compile(
    r'(?:[^"]++'
    r'|"(?:[^"\\]++|\\.)*+"(?!\s*+:)'
    r'|"(?:[^"\\\ud800-\udfff\ufffd]++|\\(?!u(?:[dD][89a-fA-F]|[fF]{3}[dD])).)*+")*+',
    re.DOTALL,
)
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

    Surrogates are characters or escapes such as `\udc00`. Both halves of a pair stay one character. Names of
    fields that would become equal get a number. Takes linear time, and memory for a copy of the text.
    """
    if not text.isascii() and _SURROGATE.search(text):  # joins the halves of each pair
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    whole, count = _replace_surrogates(text)
    if count and (names := _equal_names(text)):
        whole, _ = _replace_surrogates("".join(_rename(text, names)))
    return whole, count


def _equal_names(text: str) -> dict[str, str]:
    """Return new names for the fields whose names would become equal.

    The keys and the values are JSON, as in the text. A name gets the same new name in each object, so the
    objects of a list keep the same fields.
    """
    names: dict[str, str] = {}
    for match in _names(text):
        if match[0] not in names:
            try:
                names[match[0]] = json.loads(match[0], strict=False)
            except ValueError:
                return {}  # an invalid escape: the message will be rejected
            if len(names) > MAX_NAMES:
                return {}
    taken = {name for name in names.values() if not _SURROGATE.search(name)}
    changes: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for name in dict.fromkeys(names.values()):
        if name in taken:
            continue
        whole = unique = _SURROGATE.sub(REPLACEMENT, name)
        while unique in taken:
            numbers[whole] = numbers.get(whole, 1) + 1
            unique = f"{whole} ({numbers[whole]})"
        taken.add(unique)
        if unique != whole:
            changes[name] = json.dumps(unique)
    return {spelling: changes[name] for spelling, name in names.items() if name in changes}


def _rename(text: str, names: Mapping[str, str]) -> Iterator[str]:
    """Yield the parts of a JSON text with other names of its fields."""
    position = 0
    for match in _names(text):
        if match[0] in names:
            yield text[position : match.start()]
            yield names[match[0]]
            position = match.end()
    yield text[position:]


def _names(text: str) -> Iterator[re.Match[str]]:
    """Yield the matches of the names of fields with a surrogate or U+FFFD, in the order of the text."""
    position = 0
    while match := _STRING.match(text, _TO_NAME.match(text, position).end()):  # type: ignore[union-attr]
        yield match
        position = match.end()


def _replace_surrogates(text: str) -> tuple[str, int]:
    count = 0
    if not text.isascii() and _SURROGATE.search(text):
        text, count = _SURROGATE.subn(REPLACEMENT, text)
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
