"""Build digests from the logs.

The builder never reads past the horizon. It writes a segment as a new generation, then lists it in the
directory, on condition that no log was deleted and no other builder listed the range in the meantime. Killed
at any moment, it leaves an unlisted generation, which the next run deletes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from logs import times
from logs.digests import directory, source, state
from logs.digests.coverage import Day
from logs.digests.day_build import DayBuild
from logs.digests.directory import Segment
from logs.digests.moments import DAY, FIRST, MICROSECOND, day_of, day_start, to_moment, to_time
from logs.digests.time_limit import OutOfTime, TimeLimit
from logs.storage.horizon import HORIZON

# All days are checked this often, yesterday and today at each run.
CHECK_INTERVAL = timedelta(hours=1) // MICROSECOND
RECENT = timedelta(days=1)


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

    It is not finished if its time was over, or if others were at work on the same days. It has progress if it
    is finished, or built a segment, or deleted late items.
    """

    logs: int
    segments: int
    reached: datetime | None
    is_finished: bool
    has_progress: bool = True


def build(
    start: datetime | None = None,
    end: datetime | None = None,
    *,
    rebuild: bool = False,
    shards: int | None = None,
    deadline: Callable[[], float] | None = None,
    report: Callable[[Progress], None] | None = None,
    is_scheduled: bool = False,
) -> Result:
    """Build the digests that are missing, up to the horizon. A second call continues.

    A range, from `start` to before `end`, is checked and built whole. With `rebuild`, its digests are
    replaced. `shards` is the largest number of sorting shards ever used; the environment sets the default.
    `deadline` returns the seconds left: the run ends before. `report` is called after each segment. The state
    names the format of a scheduled builder.

    A log costs the read units of a Query and a BatchGetItem, and about a quarter of a write unit. Raises
    directory.Conflict, directory.ItemMissing, PynamoDB's and botocore's errors.
    """
    run = _Run(shards or source.default_shards(), TimeLimit(deadline), report)
    if is_scheduled:
        run.set_format()
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

    def __init__(self, shards: int, limit: TimeLimit, report: Callable[[Progress], None] | None) -> None:
        self._shards = shards
        self.began = to_moment(datetime.now(UTC))
        self.limit = self.began - HORIZON // MICROSECOND
        self._days = DayBuild(self.began, shards, limit, self._work_on, self._listed)
        self._report = report
        self._state, self._checks = state.read()
        # The fields of the state that this run changed. Another builder may change others.
        self._changes: dict[str, Any] = {}

    def set_format(self) -> None:
        """Let the state name the format of this builder."""
        self._change(format=state.own_format())

    def end(self, *, is_finished: bool) -> Result:
        """Write the state; return the result of the run."""
        is_finished = is_finished and not self._days.is_overtaken
        has_progress = is_finished or self._days.segments > 0 or self._days.deleted_items > 0
        if has_progress:
            self._change(finished_at=times.to_text(datetime.now(UTC)))
        self._write_state()
        frontier = self._state.frontier
        reached = None if frontier is None else to_time(frontier)
        return Result(self._days.logs, self._days.segments, reached, is_finished, has_progress)

    def advance(self) -> None:
        """Build from the frontier to the horizon, then check the days."""
        if self._state.day:
            self._days.clean(directory.read(date.fromisoformat(self._state.day)))
        self._check_requested_days()
        first = source.first_moment(None, self.limit, self._shards)
        if first is not None and (self._state.first is None or first < self._state.first):
            self._change(first=first, frontier=first)
        if self._state.frontier is not None:
            self._build_from(self._state.frontier)
        if self.began - self._state.last_check < CHECK_INTERVAL:
            self._check_days(day_of(self.began) - RECENT)
        else:
            self._check_days(date.min)
            self._change(last_check=self.began)
        self._change(day="")

    def build_range(self, start: datetime | None, end: datetime | None, *, rebuild: bool) -> None:
        """Build the segments of a range, whole segments only."""
        low = FIRST if start is None else to_moment(start)
        high = min(self.limit, self.limit if end is None else to_moment(end))
        while (moment := self._next_moment(low, high, rebuild=rebuild)) is not None:
            day = day_of(moment)
            begin, low = max(low, day_start(day)), day_start(day) + DAY
            bounds = begin, min(high, low)
            current = self._days.clean(directory.read(day))
            if rebuild:
                replaced = current.overlapping(*bounds)
                first = min([bounds[0], *(each.start for each in replaced)])
                self._days.replace(day, first, max([bounds[1], *(each.end for each in replaced)]))
            for each in self._days.days(day_start(day), min(low, self.limit)):
                self._check(each)
            self._days.fill_holes(directory.read(day), *bounds)

    def _next_moment(self, low: int, high: int, *, rebuild: bool) -> int | None:
        """Return the first moment of a range with a log, or with digests that are replaced. None is none."""
        if low >= high:
            return None
        moments = [source.first_moment(None if low == FIRST else low, high, self._shards)]
        if rebuild and (day := directory.first_day(day_of(low), day_of(high - 1))):
            # The table may have been replaced, and lack the logs of these digests.
            moments.append(max(low, day_start(day)))
        return min((each for each in moments if each is not None), default=None)

    def _build_from(self, moment: int) -> None:
        """Build all ranges without digests from a moment to the horizon, and move the frontier."""
        while moment < self.limit:
            day = day_of(moment)
            day_end = day_start(day) + DAY
            current = directory.read(day)
            if current.segments or current.pending:
                reached = self._days.fill_holes(current, moment, min(day_end, self.limit))
            else:
                first = source.first_moment(moment, self.limit, self._shards)
                if first is None:
                    return
                if first >= day_end:
                    # Days without logs have no directory.
                    moment = day_start(day_of(first))
                    self._change(frontier=moment)
                    continue
                reached = self._days.fill_holes(current, day_start(day), min(day_end, self.limit))
            moment = reached
            self._change(frontier=reached)
            if reached < day_end:
                return

    def _check(self, day: Day) -> None:
        self._days.check(day, self._state.frontier or FIRST)

    def _listed(self, day: date, segment: Segment) -> None:
        """Report a segment that was built."""
        if self._report:
            end = to_time(segment.end)
            self._report(Progress(day, segment.logs, self._days.segments, end))

    def _work_on(self, day: date) -> None:
        """Write the day in progress into the state, so that the next run looks there for leftovers."""
        if self._state.day != day.isoformat():
            self._change(day=day.isoformat())
            self._write_state()

    def _change(self, **fields: Any) -> None:
        """Change fields of the state, which is written later."""
        self._changes |= fields
        self._state = replace(self._state, **fields)

    def _write_state(self) -> None:
        self._state = state.change(self._state, **self._changes)

    def _check_requested_days(self) -> None:
        """Check the days on which deletions began since the last run."""
        for request in self._checks:
            day = state.day_to_check(request)
            for each in self._days.days(day_start(day), day_start(day) + DAY):
                self._check(each)
            if not directory.read(day).erasures:
                state.end_check(request)

    def _check_days(self, since: date) -> None:
        """Check the days from one on. Costs a Query per sorting shard and 1 MB."""
        for day in self._days.days(day_start(since), self.limit):
            self._check(day)
