"""Sending the sample logs through the queue, once, until they are stored."""

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

POLL_SECONDS = 0.1
# A request for the message count before every log would slow the sending down.
LOGS_PER_UPDATE = 100


def send_samples(count: int, queues: Queues, state: State, check: Callable[[], None]) -> int:
    """Bring the table to `count` sample logs; return the number of dead-letter messages.

    Print a progress bar. `check` is called between logs and may raise to stop. Sending is idempotent: the
    next start repeats an interrupted one with the same ids and content. Raise NotSent.
    """
    client = sqs.client()
    if state.samples_until and state.samples_stored and not exists(LogItem, _first_id(state.samples_until)):
        # The table was replaced or emptied.
        state.samples_until, state.samples_stored = None, 0
    if state.samples_stored < count:
        until = state.samples_until = state.samples_until or times.to_text(datetime.now(UTC))
        state.save()
        with _progress_bar(count) as bar, LogClient(queues.url, sync=True) as sender:

            def update_bar(sent: int) -> None:
                # A message that left the queue is stored or in the dead-letter queue.
                bar.update(max(0, sent - queues.count_messages(client) - bar.n))

            def checked_samples() -> Iterator[dict[str, Any]]:
                for number, log in enumerate(samples(count, times.parse(until))):
                    check()
                    if number % LOGS_PER_UPDATE == 0:
                        update_bar(number)
                    yield log

            sender.enqueue_many(checked_samples())
            while bar.n < count:
                check()
                update_bar(count)
                time.sleep(POLL_SECONDS)
        state.samples_stored = count
        state.save()
    return queues.count_dead_letters(client)


def exists(model: type[LogItem] | type[UserItem], key: str) -> bool:
    """Return whether the model's table has an item with this key."""
    try:
        model.get(key)
    except model.DoesNotExist:
        return False
    return True


def _progress_bar(count: int) -> "tqdm[Any]":
    # A terminal redraws the bar in place. In a file every update is a new line, so update rarely.
    interval = 0.1 if sys.stderr.isatty() else 5.0
    return tqdm(total=count, desc="Sample logs", unit="log", mininterval=interval, maxinterval=interval)


def _first_id(until: str) -> str:
    return str(next(samples(1, times.parse(until)))["id"])
