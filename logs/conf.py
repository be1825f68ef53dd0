"""The settings of `logs`: in Django's settings, or in the environment."""

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from string import Formatter
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from logs.models import MAX_SHARDS
from logs.reading.budget import MAX_COUNTED, Budget
from logs.storage.deadline import LAST_START_SECONDS
from logs.storage.documents import SENDER_FIELDS

# Larger values are mistakes: seconds end a page first, and bytes a file.
MAX_NUMBER = 1_000_000_000
# The names of changes by field, and the pairs of names of the values before and after.
CHANGE_NAMES = ("changes", "before/after", "old/new")
# The fields that LOGS_LINKS may make a link. An object has two fields.
LINKED_FIELDS = (*SENDER_FIELDS, "object")
# Leaves time for the request that is under way, the page and the network.
FIRST_SECONDS = 0.7

# The classes of listing.css. Text and background contrast by 4.5:1 at least, in light and in dark.
COLORS = ("gray", "blue", "green", "amber", "red", "purple", "teal", "pink")
# Every other type is gray.
DEFAULT_TYPE_COLORS = {"error": "red", "exception": "red", "critical": "red", "warning": "amber"}


def _value(name: str) -> object:
    """Return a setting, or None if it is not set or empty."""
    return getattr(settings, name, os.environ.get(name) or None)


def _whole_number(name: str, default: int, maximum: int = MAX_NUMBER) -> int:
    """Return a setting that is a whole number from 1 to `maximum`.

    Raises ImproperlyConfigured, with its name and value.
    """
    value = _value(name)
    if value is None:
        return default
    # Not int(): it reads 1.5 and True as 1.
    text = str(value) if isinstance(value, int | str) else ""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_NUMBER)) else 0
    if not 1 <= number <= maximum:
        raise ImproperlyConfigured(f"{name} must be a whole number from 1 to {maximum}, not {value!r}")
    return number


def _real_number(name: str, default: float, maximum: float) -> float:
    """Return a setting in seconds. Raises ImproperlyConfigured, with its name and value."""
    value = _value(name)
    if value is None:
        return default
    try:
        number = float(value) if isinstance(value, int | float | str) and value is not True else 0.0
    except ValueError:
        number = 0.0
    # NaN is in no range.
    if not 0 < number <= maximum:
        raise ImproperlyConfigured(
            f"{name} must be a number of seconds above 0 and at most {maximum:g}, not {value!r}"
        )
    return number


def check() -> None:
    """Raise ImproperlyConfigured if one of these settings is invalid, with its name and value."""
    shards()
    export_rows()
    budget()
    type_colors()
    change_names()
    links()
    for function in FUNCTIONS.values():
        function()


def shards() -> int:
    """Return how many sorting shards must be read. It is the largest number ever written with."""
    return max(
        written_shards(),
        _whole_number("LOGS_SORTING_SHARDS_READ", 1, MAX_SHARDS),
    )


def written_shards() -> int:
    """Return over how many sorting shards new logs are spread."""
    return _whole_number("LOGS_SORTING_SHARDS", 1, MAX_SHARDS)


def export_rows() -> int:
    """Return how many rows an export has at most."""
    return _whole_number("LOGS_EXPORT_ROWS", 10_000)


def budget() -> Budget:
    """Return the budget of one page.

    No request to DynamoDB starts after LAST_START_SECONDS, so a page cannot read longer.
    """
    default = Budget()
    return Budget(
        examined=_whole_number("LOGS_MAX_EXAMINED", default.examined),
        searched=_whole_number("LOGS_MAX_SEARCHED", default.searched),
        payloads=_whole_number("LOGS_MAX_PAYLOADS", default.payloads),
        payload_bytes=_whole_number("LOGS_MAX_PAYLOAD_BYTES", default.payload_bytes),
        seconds=_real_number("LOGS_MAX_SECONDS", default.seconds, LAST_START_SECONDS),
    )


def first_budget() -> Budget:
    """Return the budget of a page whose script reads on.

    Its first rows appear within about a second.
    """
    page = budget()
    return replace(page, seconds=min(page.seconds, FIRST_SECONDS))


def count_budget() -> Budget:
    """Return the budget of a count: that of a page, with fewer items."""
    page = budget()
    return replace(page, examined=min(page.examined, MAX_COUNTED))


def type_colors() -> Mapping[str, str]:
    """Return the colors of types, without those that are gray.

    Raises ImproperlyConfigured, with the name and the value.
    """
    value = _value("LOGS_TYPE_COLORS")
    if value is None:
        return DEFAULT_TYPE_COLORS
    return _read_colors(value if isinstance(value, str) else json.dumps(value))


@lru_cache(maxsize=4)
def _read_colors(text: str) -> Mapping[str, str]:
    try:
        colors = json.loads(text)
    except ValueError:
        colors = None
    if not isinstance(colors, dict) or not all(color in COLORS for color in colors.values()):
        raise ImproperlyConfigured(
            "LOGS_TYPE_COLORS must be a JSON object of types and their colors, such as "
            f'{{"login": "green"}}, not {text!r}. The colors are {", ".join(COLORS)}.'
        )
    return {type_: color for type_, color in colors.items() if color != COLORS[0]}


def change_names() -> tuple[str, ...]:
    """Return the names of LOGS_CHANGES: `changes` of changes by field, `before/after` of two objects.

    Raises ImproperlyConfigured, with its name and value.
    """
    value = _value("LOGS_CHANGES")
    if value is None:
        return CHANGE_NAMES
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        names = [""]
    stripped = tuple(name.strip() for name in names)
    if not stripped or not all(re.fullmatch("[^/]+(/[^/]+)?", name) for name in stripped):
        raise ImproperlyConfigured(
            "LOGS_CHANGES must be names separated by commas, each such as changes or before/after, "
            f"not {value!r}"
        )
    return stripped


def links() -> dict[str, str]:
    """Return the URL templates of LOGS_LINKS by field. Raises ImproperlyConfigured, with name and value."""
    value = _value("LOGS_LINKS")
    if value is None:
        return {}
    try:
        templates = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        templates = None
    if not isinstance(templates, Mapping):
        raise ImproperlyConfigured(
            'LOGS_LINKS must be a JSON object such as {"user_id": "https://example.com/users/{user_id}"}, '
            f"not {value!r}"
        )
    for field, template in templates.items():
        if field not in LINKED_FIELDS:
            raise ImproperlyConfigured(f"LOGS_LINKS has the field {field!r}: use {', '.join(LINKED_FIELDS)}")
        if rule := _template_rule(template):
            raise ImproperlyConfigured(f"LOGS_LINKS: the URL of {field} {rule}, not {template!r}")
    return dict(templates)


def _template_rule(template: object) -> str | None:
    """Return the rule that a URL template breaks, or None."""
    if not isinstance(template, str):
        return "must be a text"
    try:
        parts = urlsplit(template)
        names = [(name, spec, conversion) for _, name, spec, conversion in Formatter().parse(template)]
    except ValueError:
        return "must be a URL with names of fields in braces"
    # A value in the host's name would lead to another site.
    if parts.scheme not in ("http", "https") or not parts.netloc or "{" in parts.netloc:
        return "must begin with http:// or https:// and a host without braces"
    if any(
        name is not None and (name not in SENDER_FIELDS or spec or conversion)
        for name, spec, conversion in names
    ):
        return f"may have only these names in braces: {', '.join(SENDER_FIELDS)}"
    return None


def labels() -> Callable[..., object] | str | None:
    """Return the function of LOGS_LABELS or its dotted path, or None. Raises as `_function`."""
    return _function("LOGS_LABELS", "project.names.labels")


def queue_counts() -> Callable[..., object] | str | None:
    """Return the function of LOGS_QUEUE_COUNTS or its dotted path, or None. Raises as `_function`."""
    return _function("LOGS_QUEUE_COUNTS", "project.queues.counts")


def _function(name: str, example: str) -> Callable[..., object] | str | None:
    """Return a setting that is a function or its dotted path, or None.

    The function is not imported, because its module may need models. Raises ImproperlyConfigured, with name
    and value.
    """
    value = _value(name)
    if value is None or callable(value):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)+", value):
        raise ImproperlyConfigured(
            f"{name} must be a function or its dotted path, such as {example}, not {value!r}"
        )
    return value


# setting → its value: a function of the project, or its dotted path
FUNCTIONS = {"LOGS_LABELS": labels, "LOGS_QUEUE_COUNTS": queue_counts}
