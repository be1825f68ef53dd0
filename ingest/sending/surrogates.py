"""Lone surrogates, which UTF-8 cannot encode, in the values of JSON."""

import re
from typing import Any

from ingest.wire.characters import REPLACEMENT

_LONE = re.compile("[\ud800-\udfff]")


def join(text: str) -> str:
    """Return a text in which each pair of surrogates is one character."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def replace(value: Any) -> tuple[Any, int]:
    """Return a value with U+FFFD for each lone surrogate, and their number.

    The value must be of JSON's types, as `convert` returns it. If two keys of an object become equal, the
    result has a list of their values.
    """
    if isinstance(value, str):
        return _LONE.subn(REPLACEMENT, join(value))
    if isinstance(value, list):
        parts = [replace(each) for each in value]
        return [part for part, _ in parts], sum(count for _, count in parts)
    if not isinstance(value, dict):
        return value, 0
    groups: dict[str, list[Any]] = {}
    total = 0
    for name, item in value.items():
        (key, in_key), (part, in_part) = replace(name), replace(item)
        groups.setdefault(key, []).append(part)
        total += in_key + in_part
    return {key: parts[0] if len(parts) == 1 else parts for key, parts in groups.items()}, total
