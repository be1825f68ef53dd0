"""The result of writing a log: its outcome or an error."""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")


class Outcome(StrEnum):
    """How a log is in the table."""

    WRITTEN = "written"
    DUPLICATE = "duplicate"


Result = Outcome | Exception


def capture(call: Callable[[], T]) -> T | Exception:
    """Return the value of a call, or the error that it raises."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001  no error, not even a bug, may end the work on other messages
        return error
