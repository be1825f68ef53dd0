"""Mappings with several values per key, such as forms, query strings and headers.

`items` of such a mapping may return one value of each key only. Each library has its own way to all values.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any

from ingest.sending.classes import has

Pairs = list[tuple[Any, Any]]

# Methods that return the list of values of one key:
# getlist   Django, Werkzeug, Starlette, urllib3, cgi, Bottle
# getall    multidict (aiohttp), WebOb
# get_list  HTTPX, Tornado, whose get_all has another meaning
# get_all   email and http.client, wsgiref
GETTERS = ("getlist", "getall", "get_list", "get_all")

# More pairs are not read. The limit on the values of a log is lower.
MAX_PAIRS = 1_000_000


def is_multi_valued(cls: type[Any]) -> bool:
    """Return whether a class is a mapping that may hold several values per key."""
    if not (issubclass(cls, Mapping) or has(cls, "keys")):
        return False
    return any(has(cls, name) for name in ("lists", "multi_items", *GETTERS))


def pairs(value: Any, cls: type[Any]) -> Pairs:
    """Return all pairs of key and value. A key without values has an empty list as its value.

    Raise any exception if the mapping cannot be read.
    """
    # A mapping of another kind may have a method of the same name, with another result.
    for name, read in (("lists", _of_lists), ("multi_items", _of_pairs)):
        with suppress(Exception):
            if has(cls, name):
                return read(getattr(value, name)())
    result = _of_pairs(value.items()) if has(cls, "items") else None
    names = list(dict.fromkeys(islice(value.keys(), MAX_PAIRS) if result is None else _names(result)))
    if result and len(names) < len(result):
        return result
    for getter in GETTERS:
        with suppress(Exception):
            if has(cls, getter):
                lists = [(name, getattr(value, getter)(name)) for name in names]
                return _of_lists(_of_spellings(lists, result) if result else lists)
    return [(name, value[name]) for name in names] if result is None else result


def _of_spellings(lists: Pairs, items: Pairs) -> Pairs:
    """Return lists of values in which each spelling of a name has only its own value.

    Headers ignore case: with `A: 1` and `a: 2`, the list of both names is `[1, 2]`. `items` has the same
    names in the same order.
    """
    values: dict[Any, list[Any]] = defaultdict(list)
    for name, value in items:
        values[_folded(name)].append(value)
    return [
        (name, [value] if len(same := values[_folded(name)]) > 1 and list(all_values) == same else all_values)
        for (name, all_values), (_, value) in zip(lists, items, strict=True)
    ]


def _folded(name: Any) -> Any:
    return name.lower() if isinstance(name, str) else name


def _names(result: Pairs) -> Iterator[Any]:
    return (name for name, _ in result)


def _of_pairs(items: Iterable[tuple[Any, Any]]) -> Pairs:
    return [(name, value) for name, value in islice(items, MAX_PAIRS)]


def _of_lists(lists: Iterable[tuple[Any, Any]]) -> Pairs:
    result: Pairs = []
    for name, values in lists:
        if not isinstance(values, list | tuple):
            raise TypeError(f"not a list of values: {type(values).__name__}")
        result += [(name, value) for value in values] or [(name, [])]
        if len(result) > MAX_PAIRS:
            break
    return result
