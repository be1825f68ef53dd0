"""The deadline of the current request, which all its DynamoDB requests share."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from botocore.exceptions import BotoCoreError

# A page answers within 10 s. A DynamoDB request takes at most 1 s to connect and 3 s to read, so none starts
# later than this, retries included.
LAST_START_SECONDS = 6.0

_start: ContextVar[float | None] = ContextVar("request_start", default=None)


class DeadlineExceeded(BotoCoreError):
    """A DynamoDB request would start after the deadline of its request."""

    fmt = "The request has taken {seconds:.1f} s, so nothing more is read from DynamoDB."


@contextmanager
def started() -> Iterator[None]:
    """Let the DynamoDB requests of the block share a deadline that counts from now."""
    token = _start.set(now())
    try:
        yield
    finally:
        _start.reset(token)


def elapsed() -> float:
    """Return the seconds since the request started. It is 0 outside a request."""
    start = _start.get()
    return 0.0 if start is None else now() - start


def is_over() -> bool:
    """Return whether no further DynamoDB request may start."""
    return elapsed() > LAST_START_SECONDS


def check() -> None:
    """Raise DeadlineExceeded if no further DynamoDB request may start."""
    if is_over():
        raise DeadlineExceeded(seconds=elapsed())


def now() -> float:
    """Return the clock's time in seconds."""
    return time.monotonic()
