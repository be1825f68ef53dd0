"""Text search: the searchable text of a log, and whether it contains a text. No Django.

`searchable` defines the rule. Its texts come in blocks, so that a payload of megabytes needs little memory
beyond its own.
"""

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice

from logs.characters import code, original

# A block of text that ends within no escape, no number and no accented character.
BLOCK = re.compile(
    r"(?:[^\\]{1,64}|\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.|\\){1,1024}"
    "[0-9.eE+\\-\u0300-\u036f]{0,1000}",
    re.DOTALL,
)
# A number that is not an integer, or may be none: JSON has `1.50`, and a page shows `1.5`. It shows -0 as 0.
FLOAT = re.compile(r"(?<![0-9.])-?[0-9]++(?:\.[0-9]++(?:[eE][+-]?[0-9]++)?|[eE][+-]?[0-9]++)|-0(?![0-9])")
INFINITY = "-Infinity"
# An escape of `characters.code` that JSON lacks.
LONG_ESCAPE = re.compile(r"\\U00(?:0[1-9a-f]|10)[0-9a-f]{4}")
# Normalization takes quadratic time for more accents on one character. The limit is that of Unicode's
# Stream-Safe Text Format: https://www.unicode.org/reports/tr15/#Stream_Safe_Text_Format
MAX_ACCENTS = 30
# Few ranges, so that the search is fast. They have all combining characters, and letters of many scripts.
MAY_BE_ACCENTS = re.compile(
    "[\u0300-\u036f\u0483-\u2000\u20d0-\u20ff\u2c00-\u2fff\u3020-\u30ff\ua600-\uabff\ufb1e-\ufe2f"
    f"\U000101fd-\U0001efff]{{{MAX_ACCENTS + 1},}}"
)
# Stand-ins within a block: JSON has no such characters, only their escapes, which stay escapes.
BACKSLASH, QUOTE, SEPARATOR = "\0", "\1", "\2"
KEPT_ESCAPE = r"\\\\\1"
STAND_IN = re.compile(r"\\(u000[012])")
STRUCTURE = ":,[]{}"
WHITE_SPACE = str.maketrans("", "", " \t\n\r")


def searchable(
    url: str, payload: str | None, *, is_json: bool, has_numbers: bool = True
) -> Iterator[Iterable[str]]:
    r"""Yield the searchable texts of a log, each as consecutive blocks. A match lies within one text.

    A search compares what the page of a log shows:

    1. The URL.
    2. The payload as sent.
    3. The values of a JSON payload, or of a text that begins as a JSON object or array. Strings and keys are
       decoded: `"C:\\temp"` is `"C:\temp"`, `"\u043f"` is `"п"`, `"\/"` is `"/"`. They keep their quotes. A
       name stands before its value as in `"state": "open"`, in any spacing as sent. Each member begins a
       line. Numbers have the spelling of the page: `1.50` is `1.5`, and `1e2` is `100.0`.

    Texts are compared in Unicode's form NFC (`normalize`), so that composed and decomposed accents are alike.
    Letter case counts. Without `has_numbers`, numbers keep their spelling as sent, which is faster.
    """
    yield _blocks(url)
    if payload:
        yield _blocks(payload)
        if is_json or payload[:100].lstrip().startswith(("{", "[")):
            yield _values(payload, has_numbers=has_numbers)


class TextMatch:
    r"""A text to find in logs.

    It is compared as typed, and as the page would show it: `\u200b` is also the invisible character, and `\"`
    is also the quote in a JSON string.
    """

    def __init__(self, text: str) -> None:
        in_json = _with_stand_ins(text).replace('"', QUOTE)
        in_json = _decode(LONG_ESCAPE.sub(lambda escape: original(escape[0]), in_json))
        self._texts = {
            normalize(spelling) for spelling in (text, original(text), _without_stand_ins(in_json))
        }
        # A text without digits is in no number, except in Infinity.
        self._has_numbers = any(map(str.isdigit, text)) or _may_be_in_infinity(text)
        self._has_structure = self._has_numbers or any(character in STRUCTURE for character in text)
        # The text of a match may be longer before normalization.
        self._overlap = 4 * max(map(len, self._texts)) + MAX_ACCENTS

    def is_in(self, url: str, payload: str | None = None, *, is_json: bool = False) -> bool:
        """Return whether one of the searchable texts contains the text. Takes linear time."""
        texts = searchable(url, payload, is_json=is_json, has_numbers=self._has_numbers)
        # Without escapes, only structure and numbers have another spelling than as sent.
        may_differ = self._has_structure or (payload is not None and "\\" in payload)
        return any(map(self._is_in_text, texts if may_differ else islice(texts, 2)))

    def _is_in_text(self, blocks: Iterable[str]) -> bool:
        end = ""
        for block in blocks:
            window = end + block
            normalized = normalize(window)
            if any(text in normalized for text in self._texts):
                return True
            end = window[-self._overlap :]
        return False


def _may_be_in_infinity(text: str) -> bool:
    """Return whether a text and Infinity overlap, as in `"n": Inf`."""
    starts = (INFINITY[start:end] for start in (0, 1) for end in range(start + 1, len(INFINITY)))
    ends = (INFINITY[start:] for start in range(1, len(INFINITY)))
    return (
        text in INFINITY
        or INFINITY[1:] in text
        or text.endswith(tuple(starts))
        or text.startswith(tuple(ends))
    )


def normalize(text: str) -> str:
    """Return a text in Unicode's form NFC. At most MAX_ACCENTS accents of one character remain."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", MAY_BE_ACCENTS.sub(_limit_accents, text))


def _limit_accents(run: re.Match[str]) -> str:
    kept, accents = [], 0
    for character in run[0]:
        accents = accents + 1 if unicodedata.combining(character) else 0
        if accents <= MAX_ACCENTS:
            kept.append(character)
    return "".join(kept)


def _blocks(text: str) -> Iterator[str]:
    """Yield a text in blocks. Only text outside ASCII takes memory when it is normalized."""
    if text.isascii():
        yield text
    else:
        yield from (match[0] for match in BLOCK.finditer(text))


def _values(payload: str, *, has_numbers: bool) -> Iterator[str]:
    """Yield the values of a JSON text in blocks, as `searchable` describes them. They are never built."""
    is_inside = False
    for match in BLOCK.finditer(payload):
        block = _with_stand_ins(match[0])
        pieces = block.split('"')
        # Pieces outside and inside strings alternate.
        first = int(is_inside)
        if outside := pieces[first::2]:
            pieces[first::2] = _structure('"'.join(outside), has_numbers=has_numbers).split('"')
        if strings := pieces[1 - first :: 2]:
            pieces[1 - first :: 2] = _decode(SEPARATOR.join(strings)).split(SEPARATOR)
        yield _without_stand_ins('"'.join(pieces))
        is_inside ^= len(pieces) % 2 == 0


def _structure(text: str, *, has_numbers: bool) -> str:
    """Return JSON outside strings in the spelling of the page, with each member on a line."""
    text = text.translate(WHITE_SPACE).replace(":", ": ").replace(",", ",\n")
    if has_numbers and ("." in text or "e" in text or "E" in text or "-0" in text):
        return FLOAT.sub(_number, text)
    return text


def _number(match: re.Match[str]) -> str:
    """Return a number as `json.dumps` writes it."""
    if match[0] == "-0":
        return "0"
    number = float(match[0])
    return repr(number) if math.isfinite(number) else json.dumps(number)


def _with_stand_ins(text: str) -> str:
    """Replace escaped backslashes and quotes.

    A backslash then begins an escape, and a quote a string or its end.
    """
    for character in (BACKSLASH, QUOTE, SEPARATOR):
        if character in text:
            # Not valid JSON, but stored: a page shows the escape.
            text = text.replace(character, code(character))
    return text.replace("\\\\", BACKSLASH).replace('\\"', QUOTE) if "\\" in text else text


def _without_stand_ins(text: str) -> str:
    return text.replace(BACKSLASH, "\\").replace(QUOTE, '"')


def _decode(text: str) -> str:
    """Decode the escapes of JSON strings with stand-ins. Other text is returned unchanged."""
    if "\\" not in text:
        return text
    try:
        value: str = json.loads(f'"{STAND_IN.sub(KEPT_ESCAPE, text)}"', strict=False)
    except ValueError:
        return text
    return value
