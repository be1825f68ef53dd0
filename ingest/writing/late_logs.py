"""Put late items before late logs, so that the builder of digests misses none."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from ingest.writing import retry
from ingest.writing.result import Outcome, Result
from ingest.writing.retry import Deadline, OutOfTime
from logs.models import LogItem
from logs.storage import late_items
from logs.storage.errors import AWS_ERRORS
from logs.storage.horizon import MAX_WRITE

# Late items usually take milliseconds. After this time, the logs need another check of the deadline.
SLOW = timedelta(seconds=1)


def write(
    logs: Sequence[LogItem], deadline: Deadline, store: Callable[[Sequence[LogItem]], Sequence[Result]]
) -> list[Result]:
    """Store logs with different ids by `store`. Return their results in order.

    The caller has checked the deadline. The late items are put first. A log without its late item is not
    stored, and fails with the reason. If storing took longer than MAX_WRITE, because the machine was
    suspended, each log may be late by now: its late item is put again.
    """
    # Not the monotonic clock: it stops while the machine is suspended.
    start = datetime.now(UTC)
    failures = _put_late_items([log for log in logs if late_items.is_late(log, start)], deadline)
    ready = [log for log in logs if log.id not in failures]
    if datetime.now(UTC) - start > SLOW and not deadline.has_time():
        return [failures.get(log.id, OutOfTime()) for log in logs]
    results = dict(zip([log.id for log in ready], store(ready), strict=True))
    if datetime.now(UTC) - start > MAX_WRITE:
        stored = [log for log in ready if isinstance(results[log.id], Outcome)]
        failures |= _put_late_items(stored, deadline)
    results |= failures
    return [results[log.id] for log in logs]


def _put_late_items(logs: Sequence[LogItem], deadline: Deadline) -> dict[str, Result]:
    """Put the late items of logs. Return the failures by id."""
    pending = list(logs)

    def attempt() -> None:
        nonlocal pending
        pending = late_items.put(pending)
        if pending:
            raise retry.unprocessed("BatchWriteItem")

    try:
        if pending:
            deadline.retry(attempt, is_checked=True)
    except AWS_ERRORS as error:
        return dict.fromkeys((log.id for log in pending), error)
    return {}
