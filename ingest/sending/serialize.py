"""Any value as what JSON knows, whatever an application logs. Standard library only."""

import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date, datetime, time
from enum import Enum
from typing import Any

from ingest import times

# The reader refuses JSON nested over 200 levels; a value that holds itself ends here too.
MAX_DEPTH = 100

# Python refuses to spell longer integers in decimals (4,300 digits).
MAX_INTEGER_BITS = 14_000


def plain(value: object, depth: int = 0) -> Any:
    """Return a value as None, bool, int, float, str, list or dict, all the way down; never raise.

    A time becomes its one spelling, bytes become text, a set becomes a list, a number that JSON has no
    word for becomes text, and so does what nests deeper than MAX_DEPTH, and every other object.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return plain(value.value, depth + 1) if depth < MAX_DEPTH else _text(value)
    if isinstance(value, str):
        return _encodable(str.__str__(value))
    if isinstance(value, int):
        return int(value) if value.bit_length() < MAX_INTEGER_BITS else hex(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode(errors="backslashreplace")
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return _container(value, depth) if depth < MAX_DEPTH else f"({type(value).__name__}, too deep)"
    return _text(value)


def _container(value: Mapping[object, object] | Iterable[object], depth: int) -> Any:
    with suppress(Exception):  # as in _text; also changed by another thread meanwhile
        if isinstance(value, Mapping):
            return {_key(name): plain(held, depth + 1) for name, held in value.items()}
        return [plain(held, depth + 1) for held in value]
    return f"({type(value).__name__}, which cannot be read)"


def _key(name: object) -> str:
    """Spell a dictionary's key as json.dumps does, and any other kind as text."""
    if isinstance(name, str):
        return _encodable(str.__str__(name))
    if name is None or isinstance(name, bool):
        return {None: "null", True: "true", False: "false"}[name]
    return _text(name)


def _text(value: object) -> str:
    # A log must not break the work it tells of, whatever an object's own __str__ raises.
    with suppress(Exception):
        return _encodable(_spelling(value))
    return f"({type(value).__name__}, which has no text)"


def _spelling(value: object) -> str:
    if isinstance(value, datetime):
        with suppress(ValueError):  # outside the years 1 to 9999 in UTC
            return times.to_text(value)
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


def _encodable(text: str) -> str:
    """Return a text without lone surrogates, which no UTF-8 can hold; pairs become their character."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
