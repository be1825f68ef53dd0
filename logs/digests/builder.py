"""Build digests from the logs.

The builder never reads past the horizon. It writes a segment as a new generation, then lists it in the
directory, on condition that no log was deleted and no other builder listed the range in the meantime. Killed
at any moment, it leaves an unlisted generation, which the next run deletes.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import islice

from logs.digests import coverage, directory, erasure, late, source, state
from logs.digests.coverage import Day
from logs.digests.directory import Directory
from logs.digests.late import LateItem
from logs.digests.moments import DAY, MICROSECOND, day_of, day_start, to_moment, to_time
from logs.digests.segment_build import build_segment, delete_unlisted, write_day_counts
from logs.digests.source import Row
from logs.models import LogItem
from logs.storage.horizon import HORIZON

# A segment has at most MAX_LOGS logs, unless they share one moment. During its day it is closed when it has
# MIN_LOGS.
MIN_LOGS, MAX_LOGS = 2_000, 20_000
# A segment is built again if it lacks at least this number of late logs, and this share of its logs.
MIN_LATE, LATE_SHARE = 20, 0.05
# All days are checked this often, yesterday and today at each run.
CHECK_INTERVAL = timedelta(hours=1) // MICROSECOND
RECENT = timedelta(days=1)
# The items of the directory that one request reads.
DAYS_PER_REQUEST = 2_000
# A segment is not begun, or is given up, with less time left than this.
BEGIN_SECONDS, GIVE_UP_SECONDS = 60.0, 10.0


@dataclass(frozen=True)
class Progress:
    """A segment that was built: `segments` counts those of the run."""

    day: date
    logs: int
    segments: int
    reached: datetime


@dataclass(frozen=True)
class Result:
    """The segments and logs of a run, and up to where logs have digests.

    It is not finished if its time was over.
    """

    logs: int
    segments: int
    reached: datetime | None
    is_finished: bool


class OutOfTime(Exception):
    """The run has too little time left."""


def build(
    start: datetime | None = None,
    end: datetime | None = None,
    *,
    rebuild: bool = False,
    shards: int | None = None,
    deadline: Callable[[], float] | None = None,
    report: Callable[[Progress], None] | None = None,
) -> Result:
    """Build the digests that are missing, up to the horizon. A second call continues.

    A range, from `start` to before `end`, is checked and built whole. With `rebuild`, its digests are
    replaced. `shards` is the largest number of sorting shards ever used; the environment sets the default.
    `deadline` returns the seconds left: the run ends before. `report` is called after each segment.

    A log costs the read units of a Query and a BatchGetItem, and about a quarter of a write unit. Raises
    directory.Conflict, PynamoDB's and botocore's errors.
    """
    run = _Run(shards or source.default_shards(), deadline, report)
    try:
        if start is None and end is None and not rebuild:
            run.advance()
        else:
            run.build_range(start, end, rebuild=rebuild)
    except OutOfTime:
        return run.end(is_finished=False)
    return run.end(is_finished=True)


class _Run:
    """One run of the builder."""

    def __init__(
        self,
        shards: int,
        deadline: Callable[[], float] | None,
        report: Callable[[Progress], None] | None,
    ) -> None:
        self._shards = shards
        self.began = to_moment(datetime.now(UTC))
        self.limit = self.began - HORIZON // MICROSECOND
        self._seconds_left = deadline or (lambda: float("inf"))
        self._report = report or (lambda progress: None)
        self._logs = self._segments = 0
        self._state, self._checks = state.read()

    def end(self, *, is_finished: bool) -> Result:
        """Write the state; return the result of the run."""
        state.finish(self._state)
        frontier = self._state.frontier
        reached = None if frontier is None else to_time(frontier)
        return Result(self._logs, self._segments, reached, is_finished)

    def advance(self) -> None:
        """Build from the frontier to the horizon, then check the days."""
        if self._state.working:
            self._clean(directory.read(date.fromisoformat(self._state.working)))
        self._check_requested_days()
        first = source.first_moment(None, self.limit, self._shards)
        if first is not None and (self._state.first is None or first < self._state.first):
            self._state.first = self._state.frontier = first
        if self._state.frontier is not None:
            self._build_from(self._state.frontier)
        if self.began - self._state.checked < CHECK_INTERVAL:
            self._check_days(day_of(self.began) - RECENT)
        else:
            self._check_days(date.min)
            self._state.checked = self.began
        self._state.working = ""

    def build_range(self, start: datetime | None, end: datetime | None, *, rebuild: bool) -> None:
        """Build the segments of a range, whole segments only."""
        low = source.first_moment(None, self.limit, self._shards) if start is None else to_moment(start)
        high = min(self.limit, self.limit if end is None else to_moment(end))
        while low is not None and low < high:
            first = source.first_moment(low, high, self._shards)
            if first is None:
                return
            day = day_of(first)
            day_end = day_start(day) + DAY
            current = self._clean(directory.read(day))
            if rebuild:
                bounds = [max(low, day_start(day)), min(high, day_end)]
                replaced = current.overlapping(*bounds)
                begin = min([bounds[0], *(each.start for each in replaced)])
                self._fill(day, begin, max([bounds[1], *(each.end for each in replaced)]), is_closing=True)
            for each in self._days(day_start(day), min(day_end, self.limit)):
                self._check(each)
            self._fill_holes(directory.read(day), max(low, day_start(day)), min(high, day_end))
            low = day_end

    def _build_from(self, moment: int) -> None:
        """Build all ranges without digests from a moment to the horizon, and move the frontier."""
        while moment < self.limit:
            day = day_of(moment)
            day_end = day_start(day) + DAY
            current = directory.read(day)
            if current.segments or current.pending:
                reached = self._fill_holes(current, moment, min(day_end, self.limit))
            else:
                first = source.first_moment(moment, self.limit, self._shards)
                if first is None:
                    return
                if first >= day_end:
                    # Days without logs have no directory.
                    moment = self._state.frontier = day_start(day_of(first))
                    continue
                reached = self._fill_holes(current, day_start(day), min(day_end, self.limit))
            moment = self._state.frontier = reached
            if reached < day_end:
                return

    def _fill_holes(self, current: Directory, start: int, end: int) -> int:
        """Build the ranges of a day that no segment covers. Return the moment up to which it is complete."""
        day_end = day_start(current.day) + DAY
        for low, high in list(current.holes(start, end)):
            reached = self._fill(current.day, low, high, is_closing=high < end or high == day_end)
            if reached < high:
                return reached
        if end == day_end:
            write_day_counts(current.day)
        return end

    def _fill(self, day: date, low: int, high: int, *, is_closing: bool) -> int:
        """Build segments from `low` to `high`. Return the moment reached.

        Without `is_closing`, few logs at the end wait for more.
        """
        while low < high:
            began = to_moment(datetime.now(UTC))
            rows = list(islice(source.rows(low, high, self._shards), MAX_LOGS + 1))
            if len(rows) < MIN_LOGS and not is_closing:
                return low
            end = high
            if len(rows) > MAX_LOGS:
                # Logs that share one moment are in one segment.
                end = max(rows[-1].moment, rows[0].moment + 1)
            is_whole = len(rows) <= MAX_LOGS or end == rows[-1].moment
            segment_rows = (
                (row for row in rows if row.moment < end) if is_whole else source.rows(low, end, self._shards)
            )
            if not self._build_segment(day, low, end, segment_rows, began):
                return low
            low = end
        return low

    def _build_segment(self, day: date, start: int, end: int, rows: Iterable[Row], began: int) -> bool:
        """Build one segment; return whether it is listed. `began` is before the rows were read."""
        if self._seconds_left() < BEGIN_SECONDS:
            raise OutOfTime
        self._work_on(day)
        late_items = [each for each in self._late(start, end) if each.is_settled(began)]
        segment = build_segment(day, start, end, partial(self._logs_in_time, rows), began)
        if segment is None:
            return False
        late.delete_all(late_items)
        self._logs += segment.logs
        self._segments += 1
        self._report(Progress(day, segment.logs, self._segments, to_time(end)))
        return True

    def _logs_in_time(self, rows: Iterable[Row], consistent: bool) -> Iterator[LogItem]:
        """Yield the logs of rows. Raise OutOfTime near the deadline."""
        for item in source.logs(rows, consistent=consistent):
            if self._seconds_left() < GIVE_UP_SECONDS:
                raise OutOfTime
            yield item

    def _work_on(self, day: date) -> None:
        """Write the day in progress into the state, so that the next run looks there for leftovers."""
        if self._state.working != day.isoformat():
            self._state.working = day.isoformat()
            state.write(self._state)

    def _clean(self, current: Directory) -> Directory:
        """Delete unlisted generations, and finish deletions of logs. Return the directory after that.

        Another builder that is at work on this day cannot list its segment after that.
        """
        if not (current.pending or current.erasures):
            return current
        for log_id, each in current.erasures.items():
            erasure.recover(current.day, log_id, each)
        fenced = directory.update(current.day, lambda each: replace(each, edits=each.edits + 1))
        return delete_unlisted(current.day, fenced.pending)

    def _check_requested_days(self) -> None:
        """Check the days on which deletions began since the last run."""
        for request in self._checks:
            day = state.day_to_check(request)
            for each in self._days(day_start(day), day_start(day) + DAY):
                self._check(each)
            if not directory.read(day).erasures:
                state.end_check(request)

    def _check_days(self, since: date) -> None:
        """Check the days from one on. Costs a Query per sorting shard and 1 MB."""
        for day in self._days(day_start(since), self.limit):
            self._check(day)

    def _check(self, day: Day) -> None:
        """Build the segments of a day that need it, and the ranges that a killed builder left without one.

        Segments need it that lack many late logs, or have another format. Without these, and without
        late items that are not needed any more, it costs nothing.
        """
        current = self._clean(day.directory)
        for segment in day.directory.segments:
            of_segment = [each for each in day.late if segment.start <= each.moment < segment.end]
            late.delete_all([each for each in of_segment if each.is_settled(segment.began)])
            # Building keeps the late item of a log that is not settled, so it would begin again.
            missing = sum(
                each.is_settled(self.began) and not each.is_settled(segment.began) for each in of_segment
            )
            is_outdated = missing >= max(MIN_LATE, LATE_SHARE * segment.logs)
            if is_outdated or not segment.is_readable:
                self._fill(current.day, segment.start, segment.end, is_closing=True)
                current = directory.read(current.day)
        start = day_start(current.day)
        end = min(start + DAY, self._state.frontier or start)
        is_closed = end == start + DAY
        needs_wide = is_closed and not current.wide and any(segment.logs for segment in current.segments)
        # A day that lost all its segments has a directory still.
        has_holes = any(current.holes(start, end)) and (current.version or len(day.late) >= MIN_LATE)
        if needs_wide or has_holes:
            self._fill_holes(current, start, end)

    def _days(self, start: int, end: int) -> Iterator[Day]:
        """Yield the days of a range with a directory or late items."""
        return coverage.read_days(
            start, end, self._shards, source.call_each, ascends=True, first=DAYS_PER_REQUEST
        )

    def _late(self, start: int, end: int) -> list[LateItem]:
        """Return the late items of a range within a day."""
        days = self._days(start, end)
        return [each for day in days for each in day.late if start <= each.moment < end]
