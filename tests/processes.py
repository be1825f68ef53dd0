"""What the children of multiprocessing run in tests. They import this module."""

import os
import signal
import time

from ingest.client import LogClient, flush_on_sigterm
from tests.factories import make_fields

_client: LogClient | None = None


def use(client: LogClient | None) -> None:
    """Set the client of this process. Without one, create it."""
    global _client
    _client = client or LogClient()


def enqueue_five(first: int) -> None:
    """Enqueue five logs, with user ids from `first`, and return without a flush."""
    if _client is None:
        use(None)
    assert _client
    for number in range(first, first + 5):
        _client.enqueue(**make_fields(user_id=number))


def enqueue_later_five(first: int) -> None:
    """Enqueue five logs, unless `first` is 0."""
    if first:
        enqueue_five(first)


def enqueue_and_raise(first: int) -> None:
    """Enqueue five logs, and end with an exception."""
    enqueue_five(first)
    raise SystemExit(3)


def enqueue_and_terminate(first: int) -> None:
    """Enqueue five logs, and end by SIGTERM as in `Pool.terminate`."""
    flush_on_sigterm()
    enqueue_five(first)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
