"""The check that the builder of digests runs."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from logs import times
from logs.digests import state
from logs.digests.moments import to_time
from logs.storage import digest_items, endpoints
from logs.storage.digest_items import DigestItem
from logsite.doctor.results import CheckResult, fail, note, ok

PART = "Digests"
# The schedule's interval is 5 minutes. DigestsStoppedAlarm waits as long.
MAX_AGE = timedelta(minutes=30)


def check() -> Iterator[CheckResult]:
    """Check when the builder last finished a run, or made progress.

    With a local engine, an old run is a note: pages need no digests, and nothing invokes the builder there
    unless `runlocal` does. Costs DescribeTable and GetItem.
    """
    if not digest_items.is_on():
        yield note(PART, "they are off, because DIGESTS_TABLE is empty")
        return
    if not DigestItem.exists():
        return  # the check of the tables reports it
    now = datetime.now(UTC)
    finished_at, frontier = _state()
    reached = f"; logs before {times.to_text(frontier)} have digests" if frontier else ""
    if finished_at:
        if now - finished_at <= MAX_AGE:
            yield ok(PART, f"the builder finished a run at {times.to_text(finished_at)}{reached}")
            return
        problem = f"the builder has made no progress since {times.to_text(finished_at)}{reached}"
    else:
        problem = "the builder has not finished a run"
        created_at: datetime = DigestItem.describe_table()["CreationDateTime"]
        if now - created_at <= MAX_AGE:
            yield note(PART, f"{problem} yet, and the table is new")
            return
    if endpoints.dynamodb():
        yield note(PART, f"{problem}. `manage.py build_digests` runs it")
        return
    yield fail(PART, problem, "See DigestsStoppedAlarm in the runbook, or run `manage.py build_digests`.")


def _state() -> tuple[datetime | None, datetime | None]:
    """Return when a run last finished or made progress, and up to when logs have digests. None is never."""
    try:
        item = DigestItem.get(state.PARTITION, state.SORT, consistent_read=True)
    except DigestItem.DoesNotExist:
        return None, None
    frontier = state.from_data(item.data).frontier
    finished_at = times.parse(item.written_at) if item.written_at else None
    return finished_at, None if frontier is None else to_time(frontier)
