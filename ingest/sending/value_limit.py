"""The limit on the values in a log.

A message of a few KB can hold millions of values, which need hundreds of MB when they are parsed. A value can
also repeat itself: a list that holds another one a thousand times, in three levels, is a billion values as
JSON. So values are counted before they are serialized.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Any

from ingest.messages import MAX_INFLATED_BYTES, LogMessage
from ingest.sending.serialize import MAX_VALUES, Budget, to_jsonable

# A field of more values is not even serialized as text.
MAX_TEXT_VALUES = 1_000_000
# Characters of nested texts. More never fit into a message.
MAX_CHARACTERS = MAX_INFLATED_BYTES

_SCALARS = frozenset([str, int, float, bool, type(None)])
_SEQUENCES = (list, tuple, set, frozenset)
_BYTES = (bytes, bytearray)


def exceeds(fields: Mapping[str, Any]) -> bool:
    """Return whether fields have MAX_VALUES values or MAX_CHARACTERS nested characters.

    Scalar fields cost one test each, because ordinary logs have few others.
    """
    containers = [value for value in fields.values() if type(value) not in _SCALARS]
    count = _count(containers, MAX_VALUES) if containers else 0
    return count is None or count + len(fields) >= MAX_VALUES


def reduce(fields: Mapping[str, Any], dumps: Callable[[Any], str]) -> tuple[dict[str, Any], bool]:
    """Return fields of fewer than MAX_VALUES values, and whether any value is left out.

    The largest fields become JSON text, which `dumps` returns. A container of more than MAX_TEXT_VALUES
    values is left out before: a note replaces it, and the other values of its field stay. If the names alone
    are too many, all unknown fields become the text of one field, `fields`.
    """
    result: dict[str, Any] = {}
    counts: dict[str, int] = {}
    budget = Budget(max(0, MAX_VALUES - len(fields) - 1))
    for name, value in fields.items():
        count = 0 if type(value) in _SCALARS else _count([value], MAX_TEXT_VALUES)
        if count is None:
            before = budget.values
            value = to_jsonable(value, 0, budget)
            count = before - budget.values
        result[name], counts[name] = value, count
    excess = len(result) + sum(counts.values()) - MAX_VALUES + 1
    for name in sorted(counts, key=lambda name: -counts[name]):
        if excess <= 0 or not counts[name]:
            break
        result[name] = dumps(result[name])
        excess -= counts[name]
    if excess > 0:
        unknown = {name: result.pop(name) for name in fields if name not in LogMessage.model_fields}
        result["fields"] = dumps(unknown)
    return result, budget.is_exceeded


def _count(pending: list[Any], limit: int) -> int | None:  # noqa: C901  inline, as every log passes here
    """Return the number of values in containers, each reference counted, or None if it exceeds the limit.

    An empty container counts as one, as in JSON text. None also means more than MAX_CHARACTERS, or a
    container that cannot be read.
    """
    values = characters = 0
    try:
        while pending:
            container = pending.pop()
            items: Iterable[Any]
            if isinstance(container, dict):
                items = chain(container, container.values())
            elif isinstance(container, _SEQUENCES):
                items = container
            elif isinstance(container, Mapping):
                items = chain(container, container.values())
            else:
                if isinstance(container, _BYTES):
                    characters += len(container)
                continue
            values += len(container) or 1
            if values > limit:
                return None
            for item in items:
                if type(item) is str:
                    characters += len(item)
                elif type(item) not in _SCALARS:
                    pending.append(item)
        if characters > MAX_CHARACTERS:
            return None
    except Exception:  # noqa: BLE001  another thread changes it, or a Mapping of the application raises
        return None
    return values
