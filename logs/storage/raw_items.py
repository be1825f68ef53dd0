"""Logs from raw items, in a fraction of the time that PynamoDB takes."""

from typing import Any

from pynamodb.attributes import Attribute, UnicodeAttribute

from logs.models import Context, LogItem


def _names(model: type[Any]) -> tuple[dict[str, str], dict[str, tuple[str, Attribute[Any]]]]:
    """Return the names of a model's texts, and its other attributes, by their names in DynamoDB."""
    attributes = {each.attr_name: (name, each) for name, each in model.get_attributes().items()}
    texts = {raw: name for raw, (name, each) in attributes.items() if type(each) is UnicodeAttribute}
    return texts, {raw: each for raw, each in attributes.items() if raw not in texts}


_TEXTS, _OTHERS = _names(LogItem)
_CONTEXT_TEXTS, _ = _names(Context)


def to_log(raw: dict[str, dict[str, Any]]) -> LogItem:
    """Return the log that LogItem.from_raw_data returns.

    That looks at each attribute of the model, and sets each value through a descriptor.
    """
    values: dict[str, Any] = {}
    for raw_name, value in raw.items():
        if raw_name in _TEXTS:
            if "S" in value:
                values[_TEXTS[raw_name]] = value["S"]
        elif raw_name == "context" and "M" in value:
            values["context"] = _to_context(value["M"])
        elif raw_name in _OTHERS and "NULL" not in value:
            name, attribute = _OTHERS[raw_name]
            values[name] = attribute.deserialize(attribute.get_value(value))
    # Without __init__, which looks at each attribute for a default. A log has none.
    log = LogItem.__new__(LogItem)
    log.attribute_values = values
    return log


def _to_context(raw: dict[str, dict[str, Any]]) -> Context:
    context = Context.__new__(Context)
    context.attribute_values = {
        _CONTEXT_TEXTS[name]: value["S"]
        for name, value in raw.items()
        if name in _CONTEXT_TEXTS and "S" in value
    }
    return context
