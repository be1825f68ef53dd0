"""Build the digests of the imported days, when the index has all logs."""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from ingest.imports.checkpoint import Checkpoint
from logs.digests import builder, import_marks
from logs.digests.builder import Progress, Result
from logs.storage import endpoints
from logs.storage.horizon import MAX_LAG


def seconds_to_wait(checkpoint: Checkpoint) -> float:
    """Return the seconds until the index shows every imported log. A local engine has no lag."""
    if endpoints.is_local():
        return 0.0
    return max(0.0, checkpoint.written_at + MAX_LAG.total_seconds() - time.time())


def end_marks(checkpoint: Checkpoint) -> None:
    """End the marks of the imported days: their digests may be built. Costs two requests for each day."""
    for day in checkpoint.days:
        import_marks.end(date.fromisoformat(day), checkpoint.import_id)


def build(checkpoint: Checkpoint, report: Callable[[Progress], None]) -> Result:
    """Build the missing digests from the first imported day to the last one.

    The costs and errors are those of `builder.build`. Other builders may be at work.
    """
    first, *_, last = [_start(day) for day in (checkpoint.days[0], *checkpoint.days)]
    return builder.build(first, last + timedelta(days=1), report=report)


def _start(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
