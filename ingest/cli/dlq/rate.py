"""The rate of an action on many dead letters."""

import time
from collections.abc import Callable

MIN_RATE, MAX_RATE, DEFAULT_RATE = 0.1, 1000.0, 10.0


class Rate:
    """At most so many dead letters a second, counted from now on."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._clock = clock
        self._start = clock()

    def wait(self, count: int) -> None:
        """Wait until `count` dead letters since the start are within the rate."""
        time.sleep(max(0.0, self._start + count / self._per_second - self._clock()))


def parse_rate(text: str, minimum: float = MIN_RATE, maximum: float = MAX_RATE) -> float:
    """Return a number of dead letters a second. Raise ValueError unless it is within the limits."""
    try:
        rate = float(text)
    except ValueError:
        rate = 0
    if not minimum <= rate <= maximum:
        raise ValueError(f"must be a number from {minimum:g} to {maximum:g}, not {text!r}")
    return rate
