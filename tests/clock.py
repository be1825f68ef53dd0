"""A clock that only a test sets."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Time = TypeVar("Time")


@dataclass
class Clock(Generic[Time]):
    """A function that returns `now`: a datetime, or a number of seconds."""

    now: Time

    def __call__(self) -> Time:
        return self.now
