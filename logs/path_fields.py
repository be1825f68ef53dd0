"""The form fields of filters on values within JSON, such as `payload.status`."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError

from logs.fields import MAX_BYTES, ValuesField
from logs.json_path import MAX_NAMES, MAX_VALUES, SOURCES, PathFilter

PREFIXES = tuple(f"{source}." for source in SOURCES)


def is_path(parameter: str) -> bool:
    """Return whether a parameter names a value within JSON."""
    return parameter.startswith(PREFIXES)


class PathField(ValuesField):
    """Several exact values at a path, as a tuple without repetitions."""

    def __init__(self, parameter: str) -> None:
        super().__init__(label=parameter, help_text="Several values are separated by commas.")
        self.path = parameter.partition(".")[2]

    def clean(self, value: Any) -> Any:
        if not self.path:
            raise ValidationError("This has no path. Write one as in payload.customer.name.")
        if len(self.path.encode(errors="replace")) > MAX_BYTES:
            raise ValidationError(f"This path is over {MAX_BYTES} bytes long.")
        if (names := self.path.count(".") + 1) > MAX_NAMES:
            raise ValidationError(f"This path has {names} names; at most {MAX_NAMES} are possible.")
        return super().clean(value)


def path_fields(parameters: Iterable[str]) -> dict[str, PathField]:
    """Return a field for each parameter that `is_path`, for MAX_VALUES at most."""
    names = [parameter for parameter in dict.fromkeys(parameters) if is_path(parameter)]
    return {name: PathField(name) for name in names[:MAX_VALUES]}


def too_many_paths(parameters: Iterable[str]) -> str:
    """Return the error of more paths than `path_fields` returns."""
    number = sum(map(is_path, parameters))
    return f"There are filters on {number} paths within JSON; at most {MAX_VALUES} are possible."


def path_filters(values: Mapping[str, Any]) -> tuple[PathFilter, ...]:
    """Return the filters of clean values by parameter, in the order of their parameters.

    Raises ValidationError for more than MAX_VALUES values.
    """
    filters = []
    for name in sorted(filter(is_path, values)):
        if texts := values[name]:
            source, _, path = name.partition(".")
            filters.append(PathFilter(source, path, texts))
    if (number := sum(len(each.values) for each in filters)) > MAX_VALUES:
        raise ValidationError(
            f"The filters on values within JSON have {number} values; at most {MAX_VALUES} are possible."
        )
    return tuple(filters)
