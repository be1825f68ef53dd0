"""Write logs: several by INSERT statements, one by a conditional put."""

from collections.abc import Sequence
from functools import partial

from ingest.writing import inserts, late_logs
from ingest.writing.inserts import ENGINE
from ingest.writing.result import Result
from ingest.writing.retry import Deadline, OutOfTime
from logs.models import LogItem
from logs.storage import documents


def write(logs: Sequence[LogItem], deadline: Deadline, *, marks_late: bool = True) -> list[Result]:
    """Write up to inserts.MAX_STATEMENTS logs with different ids. Return their results in order.

    A result is the outcome or the error. Late items are put first (`late_logs`), unless the caller makes sure
    that no digests lack the logs. A log with parts is written alone, its parts first.
    """
    # Each log is checked, so that the end of an invocation fails as few logs as possible.
    ready = [log for log in logs if deadline.has_time()]
    store = partial(_store, deadline=deadline)
    written: list[Result] = []
    if ready:
        written = late_logs.write(ready, deadline, store) if marks_late else store(ready)
    results = dict(zip([log.id for log in ready], written, strict=True))
    return [results.get(log.id) or OutOfTime() for log in logs]


def is_alone(log: LogItem) -> bool:
    """Return whether a log is written without others.

    It has parts, or the engine has no INSERT statements.
    """
    return documents.has_parts(log.document) or not ENGINE.has_inserts


def _store(logs: Sequence[LogItem], deadline: Deadline) -> list[Result]:
    if len(logs) > 1 and ENGINE.has_inserts:
        return inserts.insert(logs, deadline)
    return [inserts.put(log, deadline, is_checked=len(logs) == 1) for log in logs]
