"""Filters on a value within the JSON of a log. No Django.

`payload.customer.name=Ada` is a filter on the value at the path `customer.name`.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from logs.characters import strip
from logs.folding import fold, normalize
from logs.storage.documents import Content
from logs.storage.json_nodes import count_nodes

SOURCES = ("payload", "extra")
# A JSON text with more values is not parsed: parsing takes about 100 bytes for each.
MAX_NODES = 100_000
# The names of a path. Each may be joined with the next ones.
MAX_NAMES = 20
# The values of all such filters together.
MAX_VALUES = 10
POSITION = re.compile("0|[1-9][0-9]{0,8}")
# The rendered text of a log has escapes instead of these: `search_text.with_stand_ins`.
ESCAPED = re.compile("[\0-\2]")

# Each clause holds texts of which one must occur in a folded text.
Clauses = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class PathFilter:
    """A path in the payload or extra fields, and its possible values."""

    source: str
    path: str
    values: tuple[str, ...]

    @property
    def parameter(self) -> str:
        """Return its name in addresses: `payload.customer.name`."""
        return f"{self.source}.{self.path}"

    def matches(self, content: Content) -> bool:
        """Return whether a log has one of the values at the path.

        - Texts are compared in their letter case, without white space at their ends. The form of accents does
          not count.
        - Numbers, `true`, `false` and `null` are compared as the page shows them. Objects and arrays never
          match.
        - A position in an array is a number, from 0.
        - A name may contain dots: `a.b` is also the name `a.b`.

        Text that is no JSON object or array, or has more than MAX_NODES values, never matches. Takes memory
        for each value of the JSON.
        """
        text = content.payload_text if self.source == "payload" else content.extra_text
        if not text or not text[:100].lstrip().startswith(("{", "[")) or count_nodes(text) > MAX_NODES:
            return False
        try:
            root = json.loads(text)
        except (ValueError, RecursionError):
            return False
        values = set(map(_composed, self.values))
        return any(_text(leaf) in values for leaf in _leaves(root, _composed(self.path)))

    @property
    def needles(self) -> Clauses:
        """Return the clauses that hold for the folded text of a matching log.

        One text of each clause is in it.
        """
        names = self.path.split(".")
        # Two names may be one name with a dot, so only the ends of the path have quotes.
        texts = [f'"{names[0]}', *names[1:]]
        texts[-1] += '": '
        named = [text for name, text in zip(names, texts, strict=True) if not POSITION.fullmatch(name)]
        clauses: list[tuple[str, ...]] = [*((text,) for text in named), self.values]
        return tuple(
            tuple(dict.fromkeys(map(fold, clause)))
            for clause in clauses
            if all(clause) and not any(map(ESCAPED.search, clause))
        )


def _leaves(root: Any, path: str) -> Iterator[Any]:
    """Yield the values at a path, one for each way to split it into names.

    Each node of the JSON is visited once at most: the names before it are the beginning of the path.
    """
    names = path.split(".")
    pending = [(root, 0)]
    while pending:
        node, start = pending.pop()
        if start == len(names):
            yield node
        else:
            pending += _members(node, names, start)


def _members(node: Any, names: list[str], start: int) -> Iterator[tuple[Any, int]]:
    """Yield the members of an object or array that the next names reach, each with the number of names."""
    if isinstance(node, list):
        if POSITION.fullmatch(names[start]) and (position := int(names[start])) < len(node):
            yield node[position], start + 1
    elif isinstance(node, dict):
        members = node if all(map(str.isascii, names)) else {_composed(name): node[name] for name in node}
        for end in range(start + 1, len(names) + 1):
            if (name := ".".join(names[start:end])) in members:
                yield members[name], end


def _text(leaf: Any) -> str | None:
    """Return a value as the page shows it, or None for an object or array."""
    if isinstance(leaf, str):
        return _composed(strip(leaf))
    return None if isinstance(leaf, dict | list) else json.dumps(leaf)


def _composed(text: str) -> str:
    """Return a text with composed accents. NUL stays NUL."""
    return text if "\0" in text else normalize(text)
