"""The check that a log sent through the queue becomes readable."""

import os
import time
from collections.abc import Callable, Iterator

from ingest.client import LogClient
from logs import conf, reader
from logs.models import shard_statuses
from logsite.doctor.results import CheckResult, fail, ok

PART = "Round trip"
# The writer keeps a log of this account and subtype for one day: `ingest.writing.items.DOCTOR`.
LOG = {
    "account_id": "_logsite",
    "user_id": 0,
    "type": "logsite",
    "sub_type": "doctor",
    "url": "",
    "payload": "Sent by manage.py doctor to check that logs arrive.",
}
POLL_SECONDS = 0.2
# A longer wait is announced, so that the command does not seem to hang.
SILENT_SECONDS = 1


def check(timeout: float, report_progress: Callable[[str], object]) -> Iterator[CheckResult]:
    """Send a log and wait until it is readable, for at most `timeout` seconds.

    Costs one SendMessage and up to five reads a second. Raise `ingest.client.NotSent`, and
    `logs.storage.errors.StoreUnavailable`.
    """
    if not os.environ.get("LOGS_QUEUE_URL"):
        yield fail(PART, "LOGS_QUEUE_URL is not set", "Set it to the URL of the queue of logs.")
        return
    start = time.monotonic()
    with LogClient(sync=True) as client:
        log_id = client.enqueue(**LOG)
    is_announced = False
    while (item := reader.get(log_id, includes_own=True)) is None:
        seconds = time.monotonic() - start
        if seconds > SILENT_SECONDS and not is_announced:
            is_announced = True
            report_progress(f"{PART}: sent the log {log_id}, waiting up to {timeout:g} s for it.")
        if seconds > timeout:
            yield fail(
                PART,
                f"the log {log_id} was sent, but is not readable after {timeout:g} s",
                "Is the writer running? Check its log lines, the dead-letter queue, and LOGS_TABLE on both "
                "sides. If many logs wait in the queue, raise --timeout.",
            )
            return
        time.sleep(POLL_SECONDS)
    if item.status not in shard_statuses(conf.shards()):
        yield fail(
            PART,
            f"the log {log_id} is stored with the status {item.status}, which the listing does not read",
            "Set LOGS_SORTING_SHARDS_READ to the writer's LOGS_SORTING_SHARDS, or higher.",
        )
        return
    yield ok(PART, f"the log {log_id} was readable after {time.monotonic() - start:.1f} s")
