"""JSON as text: count its values, and split an object, without building Python values.

A list of empty lists takes 3 bytes for each as text, and about 60 as Python values.
"""

import re
from collections.abc import Iterator
from functools import cache

# pydantic's parser rejects deeper nesting.
MAX_DEPTH = 200

# Possessive quantifiers never backtrack, so no text makes a match slow.
_STRING = r'"(?:[^"\\]++|\\.)*+"'
_STRINGS = re.compile(_STRING, re.DOTALL)


class NotAnObject(ValueError):
    """The text is not one JSON object, or nests too deep."""


def count_nodes(text: str) -> int:
    """Return an upper bound of the number of values in a JSON text.

    It is one more than the number of commas and opening brackets. Copies the text without its strings.
    """
    structure = _STRINGS.sub("", text)
    return 1 + structure.count(",") + structure.count("[") + structure.count("{")


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
