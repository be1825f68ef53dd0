r"""The searchable texts of a log, as its page shows them. No Django.

| text | form |
|---|---|
| URL, summary, user name, account name, object name | as sent |
| extra fields, and a payload that is a JSON object or array | its values |
| another payload | as sent |

Values are what the page shows. Strings and keys are decoded: `"C:\\temp"` is `"C:\temp"`, `"\u043f"` is
`"п"`, `"\/"` is `"/"`. They keep their quotes. A name stands before its value as in `"state": "open"`, in any
spacing as sent. Each member begins a line. Numbers have the spelling of the page: `1.50` is `1.5`, and `1e2`
is `100.0`.

A payload that was sent as a text has values if its text is a JSON object or array.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from logs.characters import code
from logs.folding import BLOCK_SIZE, cut, fold
from logs.storage.documents import Content
from logs.storage.json_nodes import count_nodes

# A text with more values is not parsed: parsing takes about 100 bytes for each.
MAX_PARSED_NODES = 100_000
# A block of JSON that ends within no escape and no number.
BLOCK = re.compile(
    r"(?:[^\\]{1,64}|\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.|\\){1,1024}[0-9.eE+\-]{0,1000}", re.DOTALL
)
# A number that is not an integer, or may be none: JSON has `1.50`, and a page shows `1.5`. It shows -0 as 0.
FLOAT = re.compile(r"(?<![0-9.])-?[0-9]++(?:\.[0-9]++(?:[eE][+-]?[0-9]++)?|[eE][+-]?[0-9]++)|-0(?![0-9])")
# Stand-ins within a block: JSON has no such characters, only their escapes, which stay escapes.
BACKSLASH, QUOTE, SEPARATOR = "\0", "\1", "\2"
KEPT_ESCAPE = r"\\\\\1"
STAND_IN = re.compile(r"\\(u000[012])")
SURROGATE = re.compile("[\ud800-\udfff]")
WHITE_SPACE = str.maketrans("", "", " \t\n\r")


@dataclass(frozen=True, slots=True)
class SearchText:
    """The searchable texts of a log, not yet rendered. A missing text is empty."""

    url: str = ""
    summary: str = ""
    user_name: str = ""
    account_name: str = ""
    object_name: str = ""
    payload: str = ""
    payload_is_json: bool = False
    extra: str = ""

    def texts(self) -> Iterator[Iterable[str]]:
        """Yield the texts, each as consecutive blocks. A match lies within one text.

        Blocks may end between a letter and its accent: `folding.fold_blocks` joins them.
        """
        for text in (self.url, self.summary, self.user_name, self.account_name, self.object_name):
            if text:
                yield cut(text)
        if self.payload:
            yield _values(self.payload) if self._has_values else cut(self.payload)
        if self.extra:
            yield _values(self.extra)

    @property
    def size(self) -> int:
        """Return the number of characters as sent. Numbers and spaces may lengthen the folded text."""
        names = len(self.summary) + len(self.user_name) + len(self.account_name) + len(self.object_name)
        return len(self.url) + names + len(self.payload) + len(self.extra)

    @property
    def _has_values(self) -> bool:
        """Return whether the payload is a JSON object or array."""
        if not self.payload[:100].lstrip().startswith(("{", "[")):
            return False
        return self.payload_is_json or _is_json(self.payload)


def search_text(content: Content) -> SearchText:
    """Return the searchable texts of a whole log."""
    fields = content.fields
    return SearchText(
        fields["url"] or "",
        fields["summary"] or "",
        fields["user_name"] or "",
        fields["account_name"] or "",
        fields["object_name"] or "",
        content.payload_text or "",
        content.payload_is_json,
        content.extra_text or "",
    )


def folded(texts: SearchText) -> str:
    """Return all texts folded, with a NUL between them. Takes memory for copies of all of them."""
    return "\0".join(fold("".join(blocks)) for blocks in texts.texts())


def with_stand_ins(text: str) -> str:
    """Replace escaped backslashes and quotes.

    A backslash then begins an escape, and a quote a string or its end.
    """
    for character in (BACKSLASH, QUOTE, SEPARATOR):
        if character in text:
            # Not valid JSON, but stored: a page shows the escape.
            text = text.replace(character, code(character))
    return text.replace("\\\\", BACKSLASH).replace('\\"', QUOTE) if "\\" in text else text


def without_stand_ins(text: str) -> str:
    """Return a text with the characters that `with_stand_ins` replaced."""
    return text.replace(BACKSLASH, "\\").replace(QUOTE, '"')


def decode(text: str) -> str:
    """Decode the escapes of JSON strings with stand-ins. Other text is returned unchanged.

    Lone surrogates stay escapes: UTF-8 has none.
    """
    if "\\" not in text:
        return text
    try:
        value: str = json.loads(f'"{STAND_IN.sub(KEPT_ESCAPE, text)}"', strict=False)
    except ValueError:
        return text
    return SURROGATE.sub(lambda surrogate: code(surrogate[0]), value)


def structure(text: str) -> str:
    """Return JSON outside strings in the spelling of the page. Each member begins a line."""
    text = text.translate(WHITE_SPACE).replace(":", ": ").replace(",", ",\n")
    if "." in text or "e" in text or "E" in text or "-0" in text:
        return FLOAT.sub(_number, text)
    return text


def _is_json(text: str) -> bool:
    """Return whether a text that begins as a JSON object or array is one.

    Of a text with more than MAX_PARSED_NODES values, only the last character decides.
    """
    # JSON takes two characters for each value.
    if len(text) >= 2 * MAX_PARSED_NODES and count_nodes(text) > MAX_PARSED_NODES:
        return text[-100:].rstrip().endswith(("}", "]"))
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _values(text: str) -> Iterator[str]:
    """Yield the values of a JSON text in blocks. They are never built."""
    is_inside = False
    blocks = [text] if len(text) <= BLOCK_SIZE else (match[0] for match in BLOCK.finditer(text))
    for each in blocks:
        block = with_stand_ins(each)
        pieces = block.split('"')
        # Pieces outside and inside strings alternate.
        first = int(is_inside)
        if outside := pieces[first::2]:
            pieces[first::2] = structure('"'.join(outside)).split('"')
        if strings := pieces[1 - first :: 2]:
            pieces[1 - first :: 2] = decode(SEPARATOR.join(strings)).split(SEPARATOR)
        yield without_stand_ins('"'.join(pieces))
        is_inside ^= len(pieces) % 2 == 0


def _number(match: re.Match[str]) -> str:
    """Return a number as `json.dumps` writes it."""
    if match[0] == "-0":
        return "0"
    number = float(match[0])
    return repr(number) if math.isfinite(number) else json.dumps(number)
