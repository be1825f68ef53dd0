"""JSON as text: count its values, and split an object, without building Python values.

A list of empty lists takes 3 bytes for each as text, and about 60 as Python values.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any

from pydantic_core import from_json

# pydantic's parser rejects deeper nesting.
MAX_DEPTH = 200

# Possessive quantifiers never backtrack, so no text makes a match slow.
_STRING = r'"(?:[^"\\]++|\\.)*+"'
_STRINGS = re.compile(_STRING, re.DOTALL)


class NotAnObject(ValueError):
    """The text is not one JSON object, or nests too deep."""


class TooManyMembers(ValueError):
    """A JSON object has more members than the limit of values."""


def count_nodes(text: str) -> int:
    """Return an upper bound of the number of values in a JSON text.

    It is one more than the number of commas and opening brackets. Copies the text without its strings.
    """
    return _count_separators(_STRINGS.sub("", text))


def has_at_most(text: str, number: int) -> bool:
    """Return whether a JSON text has at most `number` values.

    Most texts need no copy without their strings: JSON takes two characters for each value, and few commas
    and brackets are in strings.
    """
    return len(text) < 2 * number or _count_separators(text) <= number or count_nodes(text) <= number


def _count_separators(text: str) -> int:
    return 1 + text.count(",") + text.count("[") + text.count("{")


def split_object(text: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the value of each member of an object, as JSON.

    The values are not validated: parse them one by one. Raises NotAnObject.
    """
    start, member, end = _patterns()
    match = start.match(text)
    position = match.end() if match else -1
    is_first = True
    while position >= 0:
        if end.fullmatch(text, position) and is_first:
            return
        if not (match := member.match(text, position)):
            break
        yield match["name"], match["value"]
        is_first, position = False, match.end()
        if match["separator"] == "}":
            if text[position:].strip():
                break
            return
    raise NotAnObject("the body is not one JSON object")


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of an object's start, of one member, and of an object's end."""
    flat = r'[^"\[\]{}]++'
    content = rf"(?:{flat}|{_STRING})*+"
    for _ in range(MAX_DEPTH):
        content = rf"(?:{flat}|{_STRING}|[\[{{]{content}[\]}}])*+"
    value = rf'{_STRING}|[\[{{]{content}[\]}}]|[^\s",\[\]{{}}]++'
    member = rf"\s*+(?P<name>{_STRING})\s*+:\s*+(?P<value>{value})\s*+(?P<separator>[,}}])"
    return re.compile(r"\s*+\{"), re.compile(member, re.DOTALL), re.compile(r"\s*+\}\s*+")


def load_members(text: str, max_nodes: int) -> tuple[dict[str, Any], set[str]]:
    """Return a JSON object, and the names of its unparsed members.

    If it has more than `max_nodes` values, the members with the most values become texts: their JSON,
    unparsed. Raise NotAnObject, TooManyMembers, or ValueError for invalid names and values.
    """
    members = list(islice(split_object(text), max_nodes + 1))
    if len(members) > max_nodes:
        raise TooManyMembers("the object has too many members")
    counts = [count_nodes(value) for _, value in members]
    total = sum(counts)
    unparsed: set[int] = set()
    for index in sorted(range(len(members)), key=counts.__getitem__, reverse=True):
        if total <= max_nodes:
            break
        total -= counts[index] - 1
        unparsed.add(index)
    data: dict[str, Any] = {}
    names: set[str] = set()
    for index, (name_text, value) in enumerate(members):
        name = from_json(name_text)
        # The last of several members with one name counts, as in any parser.
        names.discard(name)
        if index in unparsed:
            names.add(name)
        data[name] = value if index in unparsed else from_json(value, allow_inf_nan=False)
    return data, names
