"""Does a log that is sent through the queue become readable?"""

import os
import time
from collections.abc import Callable, Iterator

from ingest.client import LogClient
from logs import conf, reader
from logs.models import shard_statuses
from logsite.doctor.findings import Finding, fail, ok

TRIP = "Round trip"
# The writer keeps it for a day: `ingest.writer.DOCTOR`.
LOG = {
    "account_id": "_logsite",
    "user_id": 0,
    "type": "logsite",
    "sub_type": "doctor",
    "url": "",
    "payload": "Sent by manage.py doctor, to see whether it arrives.",
}
PAUSE_SECONDS = 0.2


def check(timeout: float, tell: Callable[[str], object]) -> Iterator[Finding]:
    """Send a log and look for it, for `timeout` seconds at most; tell where that takes long."""
    if not os.environ.get("LOGS_QUEUE_URL"):
        yield fail(TRIP, "LOGS_QUEUE_URL is not set", "Set it to the address of the queue of logs.")
        return
    began = time.monotonic()
    with LogClient(sync=True) as client:
        log_id = client.enqueue(**LOG)
    told = False
    while (item := reader.get(log_id)) is None:
        waited = time.monotonic() - began
        if waited > 1 and not told:
            told = True
            tell(f"{TRIP}: the log {log_id} is sent, and has {timeout:g} s to arrive.")
        if waited > timeout:
            yield fail(
                TRIP,
                f"the log {log_id} was sent, and cannot be read after {timeout:g} s",
                "Is the writer running? See its log lines, the dead-letter queue, and LOGS_TABLE on both "
                "sides; a long queue takes longer: --timeout.",
            )
            return
        time.sleep(PAUSE_SECONDS)
    if item.status not in shard_statuses(conf.shards()):
        yield fail(
            TRIP,
            f"the log {log_id} is stored as {item.status}, which the listing does not read",
            "Set LOGS_SORTING_SHARDS_READ to the writer's LOGS_SORTING_SHARDS, or more.",
        )
        return
    yield ok(TRIP, f"the log {log_id} was readable after {time.monotonic() - began:.1f} s")
