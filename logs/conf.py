"""The settings of `logs` on the Django side: in Django's settings, or in the environment."""

import os
from typing import TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from logs.merge import Budget

Number = TypeVar("Number", int, float)


def _number(name: str, default: Number) -> Number:
    """Return a setting that must be a positive number. Raises ImproperlyConfigured, with its name."""
    value = getattr(settings, name, os.environ.get(name) or default)
    try:
        number = type(default)(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a number, not {value!r}") from error
    if number <= 0:
        raise ImproperlyConfigured(f"{name} must be more than 0, not {value!r}")
    return number


def check() -> None:
    """Raise ImproperlyConfigured where one of these settings is not what it must be, with its name."""
    shards()
    export_rows()
    budget()


def shards() -> int:
    """Return how many sorting shards must be read: as many as were ever written with."""
    return max(_number("LOGS_SORTING_SHARDS", 1), _number("LOGS_SORTING_SHARDS_READ", 1))


def export_rows() -> int:
    """Return how many rows an export has at most."""
    return _number("LOGS_EXPORT_ROWS", 10_000)


def budget() -> Budget:
    """Return what one page may take."""
    usual = Budget()
    return Budget(
        examined=_number("LOGS_MAX_EXAMINED", usual.examined),
        payloads=_number("LOGS_MAX_PAYLOADS", usual.payloads),
        payload_bytes=_number("LOGS_MAX_PAYLOAD_BYTES", usual.payload_bytes),
        seconds=_number("LOGS_MAX_SECONDS", usual.seconds),
    )
