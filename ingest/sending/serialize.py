"""Serialize any Python value: convert it to the types of JSON.

Only the standard library, because applications log values of any library.
"""

import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date, datetime, time
from enum import Enum
from typing import Any

from ingest import times

# The writer rejects JSON that is nested over 200 levels. The limit also ends circular references.
MAX_DEPTH = 100

# Python refuses to format longer integers in decimal (4,300 digits).
MAX_INTEGER_BITS = 14_000


def to_jsonable(value: object, depth: int = 0) -> Any:
    """Return a value as None, bool, int, float, str, list or dict. Never raise.

    Containers are converted recursively. A datetime becomes `2026-11-23T22:44:00.123456+00:00`, bytes become
    text, and a set becomes a list. NaN, infinity, an integer over MAX_INTEGER_BITS, a container nested over
    MAX_DEPTH and an object of any other type become text.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return to_jsonable(value.value, depth + 1) if depth < MAX_DEPTH else _to_text(value)
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
    return _to_text(value)


def _container(value: Mapping[object, object] | Iterable[object], depth: int) -> Any:
    # Logging must not fail because an object's method raises, or because another thread changes the container
    # during the iteration.
    with suppress(Exception):
        if isinstance(value, Mapping):
            return {_key(name): to_jsonable(item, depth + 1) for name, item in value.items()}
        return [to_jsonable(item, depth + 1) for item in value]
    return f"({type(value).__name__}, which cannot be read)"


def _key(name: object) -> str:
    """Return the key of a dictionary as text. `json.dumps` writes None and booleans in the same way."""
    if isinstance(name, str):
        return _encodable(str.__str__(name))
    if name is None or isinstance(name, bool):
        return {None: "null", True: "true", False: "false"}[name]
    return _to_text(name)


def _to_text(value: object) -> str:
    # Logging must not fail because an object's __str__ raises.
    with suppress(Exception):
        return _encodable(_str(value))
    return f"({type(value).__name__}, which has no text)"


def _str(value: object) -> str:
    """Return a value as text, dates and times in ISO 8601."""
    if isinstance(value, datetime):
        with suppress(ValueError):  # outside the years 1 to 9999 in UTC
            return times.to_text(value)
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


def _encodable(text: str) -> str:
    """Return a text that UTF-8 can encode: surrogate pairs joined, lone surrogates replaced."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
