"""Serialize any Python value: convert it to the types of JSON.

No library is imported for it, because applications log values of any library.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

from ingest.sending import surrogates
from ingest.sending.structures import Elements, Members, Replacement, structure_of
from ingest.sending.texts import text_of

# The writer rejects JSON that is nested over 200 levels. The limit also ends circular references.
MAX_DEPTH = 100

# More values than any form or record has. The writer, and the pages too, parse no more in one value.
MAX_VALUES = 100_000
# Characters of texts that are kept in one value. The client's limit on a message is lower.
MAX_TEXT_CHARACTERS = 16 * 1024 * 1024

# Python refuses to format longer integers in decimal (4,300 digits).
MAX_INTEGER_BITS = 14_000

# Types whose text is their best description. Their subclasses may have more than a text.
TEXT_TYPES = frozenset([date, datetime, time, timedelta, Decimal, UUID])

Item = TypeVar("Item")


# Another thread may add values to a container while it is read. More than these do not come from threads.
MAX_ADDED_VALUES = 1_000


class TooManyValues(Exception):
    """A container yields many more values than its length."""


@dataclass
class Budget:
    """The values and characters that a conversion may still return."""

    values: int = MAX_VALUES
    characters: int = MAX_TEXT_CHARACTERS
    is_exceeded: bool = False
    # The ids of the exceptions that are being converted. A group and its exceptions may refer to each other.
    exceptions: set[int] = field(default_factory=set)

    def take_values(self, number: int) -> bool:
        """Take values from the budget. Return whether it had enough."""
        if number > self.values:
            self.is_exceeded = True
            return False
        self.values -= number
        return True

    def take_text(self, text: str) -> str:
        """Take a text from the budget. Return it, or a note if the budget had not enough."""
        if len(text) > self.characters:
            self.is_exceeded = True
            return f"(text of {len(text):,} characters, too long)"
        self.characters -= len(text)
        return text


def convert(value: object, depth: int = 0, budget: Budget | None = None) -> Any:
    """Return a value as None, bool, int, float, str, list or dict. Never raise.

    Containers are converted recursively, and so are structured objects: exceptions, dataclasses, models of
    pydantic and attrs, named tuples, rows of a QuerySet, arrays. Iterators and files are not read.

    - A datetime becomes `2026-11-23T22:44:00.123456+00:00`, without the offset if it is naive.
    - Bytes become text, and a set becomes a list.
    - Several values of one key become a list.
    - NaN, infinity, an integer over MAX_INTEGER_BITS, a container nested over MAX_DEPTH and an object of any
      other type become text.
    - Lone surrogates stay, because `outgoing` counts them.
    - A note replaces a container or a text that exceeds the budget. The default budget is that of one log.
    """
    try:
        return _value(value, depth, budget or Budget())
    except Exception:  # noqa: BLE001  an object's method raises, or another thread changes a container
        return f"({type(value).__name__}, which cannot be read)"


def to_jsonable(value: object) -> Any:
    """Return a value as `convert` does, with U+FFFD for each lone surrogate. Never raise."""
    return surrogates.replace(convert(value))[0]


def _value(value: Any, depth: int, budget: Budget) -> Any:
    kind = type(value)
    # Methods of the base classes are called, because those of a subclass may do anything.
    if value is None or kind is bool:
        return value
    if issubclass(kind, Enum) and depth < MAX_DEPTH:
        return convert(value.value, depth + 1, budget)
    if issubclass(kind, str):
        return surrogates.join(budget.take_text(str.__str__(value)))
    if issubclass(kind, int):
        return int.__index__(value) if int.bit_length(value) < MAX_INTEGER_BITS else hex(value)
    if issubclass(kind, float):
        number = float.__float__(value)
        return number if math.isfinite(number) else str(number)
    if issubclass(kind, bytes | bytearray | memoryview):
        return budget.take_text(bytes(value).decode(errors="backslashreplace"))
    if kind in TEXT_TYPES:
        return text_of(value)
    return _object(value, depth, budget)


def _object(value: Any, depth: int, budget: Budget) -> Any:
    name = type(value).__name__
    structure = structure_of(value)
    if structure is None:
        return budget.take_text(text_of(value))
    if depth >= MAX_DEPTH:
        return f"({name}, too deep)"
    if isinstance(structure, Replacement):
        return convert(structure.value, depth + 1, budget)
    if not issubclass(type(value), BaseException):
        return _container(name, structure, depth, budget)
    if id(value) in budget.exceptions:
        return f"({name}, as above)"
    budget.exceptions.add(id(value))
    try:
        return _container(name, structure, depth, budget)
    finally:
        budget.exceptions.discard(id(value))


def _container(name: str, structure: Members | Elements, depth: int, budget: Budget) -> Any:
    size = structure.size
    if not budget.take_values(size or 1):
        return f"({name} of {size:,} values, too many)"
    try:
        if isinstance(structure, Members):
            return _members(_limited(structure.pairs, size, budget), depth, budget)
        elements = [convert(item, depth + 1, budget) for item in _limited(structure.values, size, budget)]
    except TooManyValues:
        return f"({name} of more than {size:,} values, too many)"
    return [*elements, structure.rest] if structure.rest else elements


def _members(pairs: Iterable[tuple[Any, Any]], depth: int, budget: Budget) -> dict[str, Any]:
    # Different keys may have the same text, such as 1 and "1". So all their values are kept.
    groups: dict[str, list[Any]] = {}
    for name, item in pairs:
        groups.setdefault(_key(name), []).append(item)
    return {
        budget.take_text(name): convert(items[0] if len(items) == 1 else items, depth + 1, budget)
        for name, items in groups.items()
    }


def _limited(items: Iterable[Item], size: int, budget: Budget) -> Iterator[Item]:
    """Yield items. Raise TooManyValues if there are many more than `size`, or more than the budget."""
    for number, item in enumerate(items):
        if number >= size and (number >= size + MAX_ADDED_VALUES or not budget.take_values(1)):
            budget.is_exceeded = True
            raise TooManyValues
        yield item


def _key(name: object) -> str:
    """Return the key of a dictionary as text. `json.dumps` writes None and booleans in the same way."""
    if isinstance(name, Enum):
        name = name.value
    if isinstance(name, str):
        return surrogates.join(str.__str__(name))
    if name is None or isinstance(name, bool):
        return {None: "null", True: "true", False: "false"}[name]
    return surrogates.join(text_of(name))
