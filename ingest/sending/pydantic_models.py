"""Models of pydantic as dictionaries, within a limit."""

from collections.abc import Iterable
from typing import Any

from ingest.sending.classes import class_of, has

# More values are not dumped at once: a model may repeat a list a thousand times in each of several levels.
MAX_VALUES = 100_000


# A model that nests deeper probably refers to itself.
MAX_DEPTH = 100


class TooLarge(ValueError):
    """A model has more than MAX_VALUES values, or nests over MAX_DEPTH levels."""


def dump(model: Any) -> Any:
    """Return a model as `model_dump` does, without the fields that its text hides (`repr=False`).

    A model of more than MAX_VALUES values, or that refers to itself, is returned one level deep and without
    its own serializers.
    """
    if not has(class_of(model), "__pydantic_fields__"):
        return model.model_dump()  # of another library
    try:
        return model.model_dump(exclude=_hidden(model, [0], 0), warnings=False)
    except Exception:  # noqa: BLE001  a serializer of the application may raise anything
        invisible = {name for name, field in _fields(model).items() if field.exclude or not field.repr}
        return {name: value for name, value in _state(model).items() if name not in invisible}


def dump_v1(model: Any) -> Any:
    """Return a model of pydantic 1. Raise TooLarge if it is too large."""
    _hidden(model, [0], 0)
    return model.dict()


def _fields(model: Any) -> dict[str, Any]:
    fields: dict[str, Any] = getattr(class_of(model), "__pydantic_fields__", {})
    return fields


def _state(model: Any) -> dict[str, Any]:
    """Return the values of a model's fields, and of the undeclared ones."""
    return {**vars(model), **(getattr(model, "__pydantic_extra__", None) or {})}


def _hidden(value: Any, count: list[int], depth: int) -> dict[Any, Any] | None:
    """Return the fields to exclude at every level, in the format of `model_dump`.

    Each value increments `count`. Raise TooLarge.
    """
    count[0] += 1
    if count[0] > MAX_VALUES or depth > MAX_DEPTH:
        raise TooLarge(f"more than {MAX_VALUES:,} values or {MAX_DEPTH} levels")
    hidden: dict[Any, Any] = {}
    parts: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list | tuple):
        parts = enumerate(value)
    elif isinstance(value, set | frozenset):
        count[0] += len(value)
    elif has(type(value), "model_dump") or has(type(value), "__fields__", "dict"):
        if getattr(type(value), "__pydantic_root_model__", False):
            return _hidden(value.root, count, depth + 1)
        hidden = {name: True for name, field in _fields(value).items() if not field.repr}
        parts = _state(value).items()
    for name, part in parts:
        if nested := _hidden(part, count, depth + 1):
            hidden.setdefault(name, nested)
    return hidden or None
