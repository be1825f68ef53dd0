"""A main application that logs, forks, and continues to log: `python -m tests.producer NUMBER`.

It sends NUMBER logs and prints nothing. One log in INVALID_EVERY is invalid. Three child processes, forked
after the first log, send a quarter each.
"""

import logging
import os
import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any

from ingest.client import LogClient
from tests.factories import make_fields
from tests.queues import Queues

FORKS = 3
INVALID_EVERY = 100
TWICE_EVERY = 20
# The emulator scans all queued messages at each request, so the queue is kept short.
CHECK_EVERY, MAX_QUEUED, PAUSE_SECONDS = 100, 600, 0.3
INVALID: list[dict[str, Any]] = [
    {"account_id": "7#login"},
    {"type": ""},
    {"url": ...},
    {"created_at": "soon"},
]


def log_id(number: int) -> str:
    """Return the id of a log."""
    return uuid.UUID(int=number, version=4).hex


def is_invalid(number: int) -> bool:
    """Return whether a log can never be stored."""
    return number % INVALID_EVERY == 0


def fields(number: int) -> dict[str, Any]:
    """Return the fields of a log."""
    invalid = INVALID[number // INVALID_EVERY % len(INVALID)] if is_invalid(number) else {}
    return make_fields(
        **{"id": log_id(number), "user_id": number, "created_at": "2026-11-23T22:44:00", **invalid}
    )


def process_logs(first: int, number: int) -> Iterator[dict[str, Any]]:
    """Yield the logs of one process: every fourth from `first` on, some twice."""
    queue: Queues | None = None
    for count, each in enumerate(range(first, number, FORKS + 1)):
        if count % CHECK_EVERY == CHECK_EVERY - 1:
            queue = queue or Queues.from_environment()  # after the fork
            while queue.count() > MAX_QUEUED:
                time.sleep(PAUSE_SECONDS)
        yield fields(each)
        if each % TWICE_EVERY == 0:
            yield fields(each)


def main(number: int) -> int:
    """Send the logs. Return the exit status, 0 if all were sent."""
    logging.getLogger("ingest").setLevel(logging.ERROR)
    client = LogClient(max_logs=number * 2)
    children = []
    parent_logs = process_logs(0, number)
    client.enqueue(**next(parent_logs))
    for child in range(1, FORKS + 1):
        if (process := os.fork()) == 0:
            client.enqueue_many(process_logs(child, number))
            os._exit(0 if client.flush(120) else 1)
        children.append(process)
    client.enqueue_many(parent_logs)
    succeeded = [os.waitpid(process, 0)[1] == 0 for process in children]
    return 0 if client.flush(120) and all(succeeded) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
