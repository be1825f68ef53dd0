"""Waiting for a condition."""

import time
from collections.abc import Callable


def wait_until(
    condition: Callable[[], object],
    description: str = "the condition",
    *,
    seconds: float = 60,
    every: float = 0.05,
) -> None:
    """Poll until the condition is true; fail with its description after some seconds.

    The limit ends a test that hangs. It is no statement about speed.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {description}"
        time.sleep(every)
