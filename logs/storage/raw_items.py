"""Logs from raw items, in a fraction of the time that PynamoDB takes."""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from pynamodb.attributes import Attribute, UnicodeAttribute

from logs.models import Context, LogItem
from logs.storage import dynamodb

# An item in DynamoDB's JSON.
RawItem = dict[str, dict[str, Any]]
CONTEXT = "context"


def _names(
    model: type[Any],
) -> tuple[dict[str, str], dict[str, tuple[str, str, Callable[[Any], Any]]]]:
    """Return the names of a model's texts, and its other attributes, by their names in DynamoDB.

    An attribute is its name, its type and its deserialization.
    """
    attributes: dict[str, tuple[str, Attribute[Any]]] = {
        each.attr_name: (name, each) for name, each in model.get_attributes().items()
    }
    texts = {raw: name for raw, (name, each) in attributes.items() if type(each) is UnicodeAttribute}
    others: dict[str, tuple[str, str, Callable[[Any], Any]]] = {
        raw: (name, each.attr_type, each.deserialize)
        for raw, (name, each) in attributes.items()
        if raw not in texts
    }
    return texts, others


_TEXTS, _OTHERS = _names(LogItem)
_CONTEXT_TEXTS, _ = _names(Context)
_STORED = _TEXTS.keys() | _OTHERS.keys()
_MISSING: dict[str, Any] = {}


class _RawLog(LogItem):
    """A log whose attributes are deserialized when the first one is read."""

    raw: RawItem

    @cached_property
    def attribute_values(self) -> dict[str, Any]:  # type: ignore[override]  # PynamoDB sets it in __init__
        """Return the values of the attributes by name."""
        values: dict[str, Any] = {}
        for raw_name, value in self.raw.items():
            if raw_name in _TEXTS:
                if "S" in value:
                    values[_TEXTS[raw_name]] = value["S"]
            elif raw_name == CONTEXT:
                if "M" in value:
                    values[CONTEXT] = _to_context(value["M"])
            elif raw_name in _OTHERS:
                name, kind, deserialize = _OTHERS[raw_name]
                if kind in value:
                    values[name] = deserialize(value[kind])
        return values


def to_log(raw: RawItem) -> LogItem:
    """Return the log that LogItem.from_raw_data returns.

    That looks at each attribute of the model, and sets each value through a descriptor.
    """
    # Without __init__, which looks at each attribute for a default. A log has none.
    log = _RawLog.__new__(_RawLog)
    log.raw = raw
    return log


def is_expired(raw: RawItem, now: float) -> bool:
    """Return whether a log has expired at a time in epoch seconds."""
    expires_at = raw.get("expires_at", {}).get("N")
    return expires_at is not None and float(expires_at) <= now


def stored_texts(log: LogItem) -> dict[str, str]:
    """Return the stored texts of a log and of its context, times too.

    They have their names in DynamoDB. One by one, the attributes would take four times as long.
    """
    raw = _raw(log)
    context = raw.get(CONTEXT, _MISSING).get("M", _MISSING)
    texts = {name: value["S"] for name, value in context.items() if name in _CONTEXT_TEXTS and "S" in value}
    texts.update((name, value["S"]) for name, value in raw.items() if name in _STORED and "S" in value)
    return texts


def row_texts(log: LogItem, names: Iterable[str]) -> list[str | None]:
    """Return attributes of a log as stored texts, without deserializing them.

    The names are those of texts, times and numbers of a log or of its context.
    """
    raw = _raw(log)
    attributes = raw | raw.get(CONTEXT, _MISSING).get("M", {})
    values = [attributes.get(name, _MISSING) for name in names]
    return [value["S"] if "S" in value else value.get("N") for value in values]


def _raw(log: LogItem) -> RawItem:
    return log.raw if isinstance(log, _RawLog) else dynamodb.serialize(log)


def _to_context(raw: RawItem) -> Context:
    context = Context.__new__(Context)
    context.attribute_values = {
        _CONTEXT_TEXTS[name]: value["S"]
        for name, value in raw.items()
        if name in _CONTEXT_TEXTS and "S" in value
    }
    return context
