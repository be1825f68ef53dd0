"""Send the sample logs through the queue, once, and wait until they are stored."""

import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from tqdm import tqdm

from ingest.client import LogClient
from ingest.wire import sqs
from logs import times
from logs.models import LogItem
from logsite.accounts.store import UserItem
from logsite.local.queues import Queues
from logsite.local.samples import samples
from logsite.local.state import State


def fill(count: int, queues: Queues, state: State, check: Callable[[], None]) -> int:
    """Bring the table to `count` samples, with a progress bar; return the number of dead letters.

    `check` is called all the while and may raise, to stop. An interrupted sending is repeated whole the
    next time: the same ids with the same content, so nothing is stored twice. Raises NotSent.
    """
    client = sqs.client()
    if state.samples_until and state.samples_stored and not exists(LogItem, _first_id(state.samples_until)):
        state.samples_until, state.samples_stored = None, 0  # another table, or one that was emptied
    if state.samples_stored < count:
        until = state.samples_until = state.samples_until or times.to_text(datetime.now(UTC))
        state.save()
        with (
            _bar(count) as bar,
            LogClient(queues.url, sync=True) as sender,
        ):

            def show(sent: int) -> None:
                # What no longer waits is stored, or a dead letter, which is told at the end.
                bar.update(max(0, sent - queues.waiting(client) - bar.n))

            def sending() -> Iterator[dict[str, Any]]:
                for number, log in enumerate(samples(count, times.parse(until))):
                    check()
                    if number % 100 == 0:
                        show(number)
                    yield log

            sender.enqueue_many(sending())
            while bar.n < count:
                check()
                show(count)
                time.sleep(0.1)
        state.samples_stored = count
        state.save()
    return queues.dead(client)


def _bar(count: int) -> "tqdm[Any]":
    # Into a file a bar is a line each time: a few are enough.
    interval = 0.1 if sys.stderr.isatty() else 5.0
    return tqdm(total=count, desc="Sample logs", unit="log", mininterval=interval, maxinterval=interval)


def exists(model: type[LogItem] | type[UserItem], key: str) -> bool:
    """Tell whether the table has an item of that key."""
    try:
        model.get(key)
    except model.DoesNotExist:
        return False
    return True


def _first_id(until: str) -> str:
    return str(next(samples(1, times.parse(until)))["id"])
