"""The settings of `logs`: in Django's settings, or in the environment."""

import os
from typing import TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from logs.reading.budget import Budget

Number = TypeVar("Number", int, float)


def _number(name: str, default: Number) -> Number:
    """Return a setting that is a positive number. Raises ImproperlyConfigured, with its name and value."""
    value = getattr(settings, name, os.environ.get(name) or default)
    try:
        number = type(default)(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a number, not {value!r}") from error
    if number <= 0:
        raise ImproperlyConfigured(f"{name} must be more than 0, not {value!r}")
    return number


def check() -> None:
    """Raise ImproperlyConfigured if one of these settings is invalid, with its name and value."""
    shards()
    export_rows()
    budget()


def shards() -> int:
    """Return how many sorting shards must be read. It is the largest number ever written with."""
    return max(_number("LOGS_SORTING_SHARDS", 1), _number("LOGS_SORTING_SHARDS_READ", 1))


def export_rows() -> int:
    """Return how many rows an export has at most."""
    return _number("LOGS_EXPORT_ROWS", 10_000)


def budget() -> Budget:
    """Return the budget of one page."""
    default = Budget()
    return Budget(
        examined=_number("LOGS_MAX_EXAMINED", default.examined),
        payloads=_number("LOGS_MAX_PAYLOADS", default.payloads),
        payload_bytes=_number("LOGS_MAX_PAYLOAD_BYTES", default.payload_bytes),
        seconds=_number("LOGS_MAX_SECONDS", default.seconds),
    )
