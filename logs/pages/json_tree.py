"""A JSON value as a tree of HTML that folds without a script."""

import json
from dataclasses import dataclass
from html import escape
from typing import Any

from django.utils.safestring import SafeString

from logs.pages.response_size import encoded_size, truncate
from logs.storage.json_nodes import count_nodes

# A longer text, or one with more values, is not parsed: parsing takes 13 ms per MB and 100 bytes per value.
MAX_TEXT, MAX_NODES = 2_000_000, 250_000
# A tree has at most this many values.
MAX_VALUES = 20_000
# A deeper value is compact JSON. Each level is indented.
MAX_DEPTH = 40
# Values down to this depth are unfolded, unless they have more members.
OPEN_DEPTH, OPEN_MEMBERS = 2, 100
# The size of the tags of one value.
TAGS = 70

NO_JSON = object()


@dataclass(frozen=True)
class Tree:
    """The HTML of a value, and whether it is only the first part."""

    html: SafeString
    is_truncated: bool


def parse(text: str) -> Any:
    """Return the value of a JSON object or array, or NO_JSON. Size, depth and values are limited."""
    is_container = text[:100].lstrip().startswith(("{", "["))
    if not is_container or len(text) > MAX_TEXT or count_nodes(text) > MAX_NODES:
        return NO_JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return NO_JSON


def cut(text: str, limit: int) -> str:
    """Return the beginning of a text, in at most `limit` bytes of UTF-8."""
    if text.isascii():
        return text[:limit]
    return text[:limit].encode(errors="replace")[:limit].decode(errors="ignore")


def make_tree(value: Any, limit: int, size: int) -> Tree:
    """Return the tree of a value.

    It has `limit` bytes of names and values, and `size` bytes of a response.
    """
    builder = _Builder(limit, size)
    builder.add(None, value, "", 0)
    return Tree(SafeString("".join(builder.parts)), builder.is_truncated)


class _Builder:
    """Writes values until a limit is reached. Every element is closed."""

    def __init__(self, limit: int, size: int) -> None:
        self.parts: list[str] = []
        self.bytes, self.size, self.values = limit, size, MAX_VALUES
        self.is_truncated = False

    def add(self, name: str | None, value: Any, comma: str, depth: int) -> None:
        """Write one value with its name, and its members below it."""
        self.values -= 1
        self.size -= TAGS
        label = "" if name is None else f"<b>{self._quoted(name)}</b>: "
        if isinstance(value, dict | list) and value and depth < MAX_DEPTH:
            self._add_members(label, value, comma, depth)
        else:
            self.parts.append(f"<p>{label}{self._scalar(value)}{comma}</p>")

    def _add_members(self, label: str, value: dict[str, Any] | list[Any], comma: str, depth: int) -> None:
        number = len(value)
        is_object = isinstance(value, dict)
        opening, closing, noun = ("{", "}", "key") if is_object else ("[", "]", "item")
        is_open = depth == 0 or (depth < OPEN_DEPTH and number <= OPEN_MEMBERS)
        count = f"<small>{number:,} {noun}{'' if number == 1 else 's'}</small>"
        start = "<details open>" if is_open else "<details>"
        self.parts.append(f"{start}<summary>{label}{opening} {count}</summary><div>")
        members = value.items() if isinstance(value, dict) else ((None, member) for member in value)
        for index, (name, member) in enumerate(members, 1):
            if min(self.bytes, self.size, self.values) <= 0:
                self.is_truncated = True
                self.parts.append("<p>…</p>")
                break
            self.add(name, member, "," if index < number else "", depth + 1)
        self.parts.append(f"</div>{closing}{comma}</details>")

    def _scalar(self, value: Any) -> str:
        if isinstance(value, str):
            # Isolated: a text from right to left must not reorder its surroundings.
            return f"<bdi>{self._quoted(value)}</bdi>"
        try:
            text = json.dumps(value, ensure_ascii=False)
        except RecursionError:
            self.is_truncated = True
            text = "…"
        return f"<i>{self._text(text)}</i>"

    def _quoted(self, text: str) -> str:
        return f'"{self._text(text)}"'

    def _text(self, text: str) -> str:
        """Return a text as HTML, truncated to the rest of the limits."""
        beginning = cut(text, max(0, self.bytes))
        shown = truncate(beginning, max(0, self.size), multiline=True)
        html = escape(shown.text, quote=False)
        self.bytes -= len(beginning.encode(errors="replace")) + 4
        self.size -= encoded_size(html)
        if shown.shown == len(text):
            return html
        self.is_truncated = True
        return f"{html}…"
