"""The limit on the values in a log.

A message of a few KB can hold millions of values, which need hundreds of MB when they are parsed. A value can
also repeat itself: a list that holds another one a thousand times, in three levels, is a billion values as
JSON. So values are counted before they are serialized.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any

from ingest.messages import MAX_INFLATED_BYTES, LogMessage
from ingest.sending.serialize import MAX_VALUES, TEXT_TYPES, Budget, convert

# A field of more values is not even serialized as text.
MAX_TEXT_VALUES = 1_000_000
# The same for a field with objects of other types than JSON's. Their conversion takes about 4 µs a value.
MAX_OBJECT_VALUES = 200_000
# Characters of nested texts. More never fit into a message.
MAX_CHARACTERS = MAX_INFLATED_BYTES

_SCALARS = frozenset([str, int, float, bool, type(None)])
# Other classes, and subclasses of these, may have more values than the encoder of json reads.
_MAPPINGS = frozenset([dict, OrderedDict, defaultdict])
_SEQUENCES = frozenset([list, tuple, set, frozenset])
_BYTES = frozenset([bytes, bytearray])

# Results of a count: too many values, or an object that must be converted before its values can be counted.
TOO_MANY = -1
UNKNOWN = -2


class Change(Enum):
    """What `reduce` did to the fields of a log."""

    NONE = auto()
    TEXT = auto()  # the largest fields are text
    TRUNCATED = auto()  # notes replace values


def exceeds(fields: Mapping[str, Any]) -> bool:
    """Return whether fields need `reduce` before they are serialized.

    They have MAX_VALUES values, MAX_CHARACTERS nested characters, or an object that json's encoder does not
    support. Scalar fields cost one test each, because ordinary logs have few others.
    """
    containers = [value for value in fields.values() if type(value) not in _SCALARS]
    count = _count(containers, MAX_VALUES) if containers else 0
    return count < 0 or count + len(fields) >= MAX_VALUES


def reduce(fields: Mapping[str, Any], dumps: Callable[[Any], str]) -> tuple[dict[str, Any], Change]:
    """Return fields of JSON types and of fewer than MAX_VALUES values, and the change.

    The largest fields become JSON text, which `dumps` returns. In a field of more than MAX_TEXT_VALUES
    values, or MAX_OBJECT_VALUES with objects, notes replace large containers before. If the names alone are
    too many, all unknown fields become the text of one field, `fields`.
    """
    result: dict[str, Any] = {}
    counts: dict[str, int] = {}
    budget = Budget(max(0, MAX_VALUES - len(fields) - 1))
    for name, value in fields.items():
        result[name], counts[name] = _convert(value, budget)
    is_text = False
    excess = len(result) + sum(counts.values()) - MAX_VALUES + 1
    for name in sorted(counts, key=lambda name: -counts[name]):
        if excess <= 0 or not counts[name]:
            break
        result[name] = dumps(result[name])
        excess -= counts[name]
        is_text = True
    if excess > 0:
        unknown = {name: result.pop(name) for name in fields if name not in LogMessage.model_fields}
        result["fields"] = dumps(unknown)
        is_text = True
    if budget.is_exceeded:
        return result, Change.TRUNCATED
    return result, Change.TEXT if is_text else Change.NONE


def _convert(value: Any, budget: Budget) -> tuple[Any, int]:
    """Return a value that can be serialized, and the number of its values.

    Only a value beyond MAX_TEXT_VALUES or MAX_OBJECT_VALUES takes from the budget, and exceeds it.
    """
    if type(value) in _SCALARS:
        return value, 0
    count = _count([value], MAX_TEXT_VALUES)
    if count == UNKNOWN:
        whole = Budget(MAX_OBJECT_VALUES, MAX_CHARACTERS)
        converted = convert(value, 0, whole)
        if not whole.is_exceeded:
            return converted, MAX_OBJECT_VALUES - whole.values
    if count < 0:
        before = budget.values
        value = convert(value, 0, budget)
        count = before - budget.values
    return value, count


def _count(pending: list[Any], limit: int) -> int:  # noqa: C901  inline, as every log passes here
    """Return the number of values in containers, each reference counted, or TOO_MANY or UNKNOWN.

    An empty container counts as one, as in JSON text. TOO_MANY means more than `limit` values or more than
    MAX_CHARACTERS. UNKNOWN means an object that is not of JSON's types, or a container that cannot be read.
    """
    values = characters = 0
    try:
        while pending:
            container = pending.pop()
            kind = type(container)
            if kind in _MAPPINGS:
                # Raises TypeError for most keys that are not texts.
                characters += sum(map(len, container))
                items = container.values()
            elif kind in _SEQUENCES:
                items = container
            elif kind in _BYTES:
                characters += len(container)
                continue
            elif kind in TEXT_TYPES:
                continue
            else:
                return UNKNOWN
            values += len(container) or 1
            if values > limit:
                return TOO_MANY
            for item in items:
                if type(item) is str:
                    characters += len(item)
                elif type(item) not in _SCALARS:
                    pending.append(item)
        if characters > MAX_CHARACTERS:
            return TOO_MANY
    except Exception:  # noqa: BLE001  another thread changes it, or a key is no text
        return UNKNOWN
    return values
