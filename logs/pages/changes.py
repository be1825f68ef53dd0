"""The changed fields of a payload, with the values before and after. No Django."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice
from typing import Any

from logs.characters import visible

# Within the change of one field, these two names are understood as well.
FROM_TO = ("from", "to")

MAX_FIELDS = 200
MAX_DEPTH = 20
# Characters that the table shows: of one value, of one path, and of all values.
MAX_VALUE, MAX_PATH, MAX_SHOWN = 1_000, 200, 80_000
# Characters before the first difference, if a value is too long to be shown whole.
LEAD = 100
# Character by character, only this many are compared of each value, and in the whole table this many pairs.
MAX_COMPARED, MAX_PAIRS = 200, 1_000_000
# Equal characters between two differences are shown as equal if they are at least so many.
MIN_EQUAL = 3
# A character with the marks, joiners and modifiers that belong to it.
CLUSTER = re.compile("(?s).(?:[\u0300-\u036f\u200c\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]|(?<=\u200d).)*")

ABSENT = object()
Pair = tuple[Any, Any]


@dataclass(frozen=True)
class Part:
    """A part of a value: equal on both sides, or changed."""

    text: str
    is_changed: bool


@dataclass(frozen=True)
class Side:
    """A value before or after the change. `state` replaces its text: absent, empty or null."""

    state: str = ""
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Change:
    """A changed field: its path, such as `address.street` or `lines[1]`, and both values."""

    path: str
    before: Side
    after: Side


@dataclass(frozen=True)
class ChangeTable:
    """The first changed fields of a payload, and the number of all."""

    rows: list[Change]
    total: int

    @property
    def more(self) -> int:
        """Return how many changed fields are not among the rows."""
        return self.total - len(self.rows)


def read_changes(payload: Any, names: Sequence[str]) -> ChangeTable | None:
    """Return the changed fields of a parsed payload, or None if it names none.

    `names` are those of LOGS_CHANGES: `changes` for changes by field, `before/after` for two objects. The
    time is limited by the payload's size.
    """
    if not isinstance(payload, Mapping):
        return None
    try:
        differences = list(_differences(payload, names))
    except RecursionError:  # deeply nested values
        return None
    return _table(differences) if differences else None


def _differences(payload: Mapping[str, Any], names: Sequence[str]) -> Iterator[tuple[str, Pair]]:
    """Yield path and values of each field that differs, from the first name that the payload uses."""
    pairs = [(before, after) for before, slash, after in (name.partition("/") for name in names) if slash]
    for name in names:
        before, slash, after = name.partition("/")
        if slash:
            if (pair := _whole_objects(payload, before, after)) is not None:
                yield from _compare("", *pair, depth=0)
                return
        elif changes := _changes_by_field(payload.get(name), [*pairs, FROM_TO]):
            for path, pair in changes:
                yield from _compare(path, *pair, depth=path.count(".") + 1)
            return


def _whole_objects(payload: Mapping[str, Any], before: str, after: str) -> Pair | None:
    """Return two whole objects to compare. One of them may be null: the object was created or deleted."""
    pair = (payload.get(before, ABSENT), payload.get(after, ABSENT))
    if not any(isinstance(value, dict) for value in pair):
        return None
    if not all(isinstance(value, dict) or value is None for value in pair):
        return None
    return pair[0] or {}, pair[1] or {}


def _changes_by_field(
    changes: Any, pairs: Sequence[tuple[str, str]], path: str = "", depth: int = 0
) -> list[tuple[str, Pair]] | None:
    """Return path and values of each field of `{field: change}`, or None if a value is no change.

    A change is `[old, new]`, an object with the two names of a pair, or an object of changes.
    """
    if not isinstance(changes, dict) or not changes or depth > MAX_DEPTH:
        return None
    fields: list[tuple[str, Pair]] = []
    for name, change in changes.items():
        inner = _member(path, name)
        if (pair := _pair(change, pairs)) is not None:
            fields.append((inner, pair))
        elif nested := _changes_by_field(change, pairs, inner, depth + 1):
            fields += nested
        else:
            return None
    return fields


def _pair(change: Any, pairs: Sequence[tuple[str, str]]) -> Pair | None:
    """Return the two values of one change, or None if it is none."""
    if isinstance(change, list):
        return (change[0], change[1]) if len(change) == 2 else None
    if isinstance(change, dict):
        for before, after in pairs:
            if {before, after} <= change.keys() or (change and change.keys() <= {before, after}):
                return change.get(before, ABSENT), change.get(after, ABSENT)
    return None


def _compare(path: str, before: Any, after: Any, depth: int) -> Iterator[tuple[str, Pair]]:
    """Yield path and values where two values differ. Objects and lists are compared by their members."""
    if depth < MAX_DEPTH:
        if isinstance(before, dict) and isinstance(after, dict):
            for name in before | after:
                pair = before.get(name, ABSENT), after.get(name, ABSENT)
                yield from _compare(_member(path, name), *pair, depth + 1)
            return
        if isinstance(before, list) and isinstance(after, list):
            for index in range(max(len(before), len(after))):
                pair = _at(before, index), _at(after, index)
                yield from _compare(f"{path}[{index}]", *pair, depth + 1)
            return
    if not _is_equal(before, after):
        yield path, (before, after)


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else ABSENT


def _is_equal(before: Any, after: Any) -> bool:
    """Return whether two values are equal. To Python, true and 1 are."""
    return before == after and isinstance(before, bool) == isinstance(after, bool)


def _member(path: str, name: str) -> str:
    # A path may have 20 names of a megabyte each.
    name = name[: MAX_PATH + 1] or '""'
    return f"{path}.{name}" if path else name


def _table(differences: list[tuple[str, Pair]]) -> ChangeTable:
    rows: list[Change] = []
    shown, pairs = 0, MAX_PAIRS
    for path, (before, after) in islice(differences, MAX_FIELDS):
        texts = _texts(before, after)
        shown += len(texts[0]) + len(texts[1])
        if shown > MAX_SHOWN:
            break
        pairs -= MAX_COMPARED + min(len(texts[0]), MAX_COMPARED) * min(len(texts[1]), MAX_COMPARED)
        is_text = isinstance(before, str) and isinstance(after, str)
        parts = _parts(*texts) if is_text and pairs > 0 else _whole(*texts)
        rows.append(Change(_shorten(path), _side(before, parts[0]), _side(after, parts[1])))
    return ChangeTable(rows, len(differences))


def _side(value: Any, parts: tuple[Part, ...]) -> Side:
    if value is ABSENT or value is None or value == "":
        return Side(state="absent" if value is ABSENT else "null" if value is None else "empty")
    return Side(parts=parts)


def _shorten(path: str) -> str:
    text = visible(path)
    return text if len(text) <= MAX_PATH else f"{text[: MAX_PATH // 2]}…{text[-MAX_PATH // 2 :]}"


def _texts(before: Any, after: Any) -> tuple[str, str]:
    """Return two values as they are shown. If the texts are the same, the types differ: both are JSON."""
    texts = [_text(before), _text(after)]
    if texts[0] == texts[1]:
        texts = [_text(before, as_json=True), _text(after, as_json=True)]
    start = 0
    if max(map(len, texts)) > MAX_VALUE:
        start = max(0, _equal_length(*texts) - LEAD)
    one, two = (_excerpt(text, start) for text in texts)
    return one, two


def _text(value: Any, *, as_json: bool = False) -> str:
    if value is ABSENT:
        return ""
    return value if isinstance(value, str) and not as_json else json.dumps(value, ensure_ascii=False)


def _excerpt(text: str, start: int) -> str:
    end = start + MAX_VALUE
    excerpt = visible(text[start:end], multiline=True)
    return f"{'…' if start else ''}{excerpt}{'…' if end < len(text) else ''}"


def _equal_length(one: str, two: str) -> int:
    """Return the length of the beginning that two texts share, by bisection."""
    low, high = 0, min(len(one), len(two))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == two[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _whole(before: str, after: str) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    return (Part(before, True),), (Part(after, True),)


def _parts(before: str, after: str) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Return two texts in parts. Long or very different texts are whole."""
    one, two = CLUSTER.findall(before), CLUSTER.findall(after)
    head = _shared(one, two)
    tail = _shared(one[head:][::-1], two[head:][::-1])
    middles = one[head : len(one) - tail], two[head : len(two) - tail]
    blocks = [(0, 0, head), *_equal_blocks(*middles, head), (len(one) - tail, len(two) - tail, tail)]
    if 2 * sum(size for *_, size in blocks) <= max(len(one), len(two)):
        return _whole(before, after)
    return _split(one, [(start, size) for start, _, size in blocks]), _split(
        two, [(start, size) for _, start, size in blocks]
    )


def _shared(one: Sequence[str], two: Sequence[str]) -> int:
    size = 0
    for size, (left, right) in enumerate(zip(one, two, strict=False), 1):
        if left != right:
            return size - 1
    return size


def _equal_blocks(one: Sequence[str], two: Sequence[str], offset: int) -> list[tuple[int, int, int]]:
    """Return places and size of the equal parts between two differences."""
    if max(len(one), len(two)) > MAX_COMPARED:
        return []
    blocks = SequenceMatcher(None, one, two, autojunk=False).get_matching_blocks()
    return [(a + offset, b + offset, size) for a, b, size in blocks if size >= MIN_EQUAL]


def _split(text: Sequence[str], equal: Sequence[tuple[int, int]]) -> tuple[Part, ...]:
    """Return a text as its equal parts and the changed ones between them."""
    parts, end = [], 0
    for start, size in equal:
        parts.append(Part("".join(text[end:start]), True))
        parts.append(Part("".join(text[start : start + size]), False))
        end = start + size
    return tuple(part for part in parts if part.text)
