"""The counts of digests, added to the result of a count."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logs.digests import coverage, generations
from logs.digests.counts import CountGroup, Counts, Tally, unpack_counts
from logs.digests.coverage import Day
from logs.digests.directory import Segment
from logs.digests.late import LateItem
from logs.digests.moments import DAY, END, day_start, to_moment
from logs.plan import QueryPlan
from logs.reading import count_scope
from logs.reading.count_result import HOUR, CountResult
from logs.reading.count_scope import CountScope
from logs.reading.counted_ranges import BUCKETS, CountedRanges
from logs.reading.counted_values import CountedValues

if TYPE_CHECKING:
    from logs.reading.page import PageRead

# More late logs of one request, or of one day, are not fetched: the numbers are then lower bounds.
MAX_LATE = 500
# The days that the first request of the directory reads.
FIRST_ITEMS = 2_000
# The days whose counts of all values are read at once: 64 KB each.
DAYS_PER_READ = 100


@dataclass(frozen=True)
class CountedDay:
    """The part of a day that digests count, and its segments.

    The part is `low` ≤ moment < `high`. `is_whole` is whether it is the whole day.
    """

    day: Day
    low: int
    high: int
    segments: list[Segment]

    @property
    def is_whole(self) -> bool:
        """Return whether the part is the whole day."""
        return self.high - self.low == DAY

    @property
    def parts(self) -> Iterator[tuple[Segment, int, int]]:
        """Yield the segments with the parts of them that are counted."""
        for segment in self.segments:
            yield segment, max(self.low, segment.start), min(self.high, segment.end)


class DigestCounts:
    """Counts what digests have of a range, `start` ≤ moment < `end`.

    `ranges` then has the parts that are counted, and `late` the late logs that their segments may lack.
    """

    def __init__(
        self,
        read: "PageRead",
        plan: QueryPlan,
        start: int,
        end: int,
        scope: CountScope,
        result: CountResult,
    ) -> None:
        self.ranges = CountedRanges(start, end, (BUCKETS, *scope.fields))
        self.late: list[tuple[Segment, LateItem]] = []
        self._read, self._plan, self._scope, self._result = read, plan, scope, result
        self._start, self._end = start, end
        # No log is between `end` and this, so counts of the last hour, or of the last day, are whole.
        self._whole_end = END if plan.high is None else to_moment(plan.high) + 1

    def run(self, counted: CountedValues) -> None:
        """Count the days with digests, the newest days first."""
        days = self._covered_days(counted)
        names = {BUCKETS, *counted.day_fields}
        if counted.is_by_hour:
            for day in days:
                self._add_hours(day, counted)
                self._cover(day, {BUCKETS, "type"})
            names = set(counted.day_fields) & set(self._scope.fields)
            # If there are few logs, the index has these values too.
            if not names or self._scope.is_small(self._result):
                days = []
        if not self._scope.sample:
            self._leave_out(set(self._scope.fields) - counted.fields)
        # An older day without these counts is read from the index, like one without digests.
        days = [day for day in days if day.is_whole][-(self._scope.days or count_scope.MAX_DAYS) :]
        while days and not self._read.is_spent:
            group, days = days[-DAYS_PER_READ:], days[:-DAYS_PER_READ]
            for day, counts in self._with_counts(group):
                self._add_day(day, counts, counted)
                self._cover(day, names)

    def _leave_out(self, names: set[str]) -> None:
        """Count no values of these fields."""
        for name in names:
            self.ranges.leave_out(name)
            del self._result.values[name]

    def _covered_days(self, counted: CountedValues) -> list[CountedDay]:
        """Return the days whose digests can be counted, in order of time.

        If the budget is spent, older days are left out.
        """
        unit = HOUR if counted.is_by_hour else DAY
        days = coverage.read_days(
            self._start,
            self._end,
            self._plan.shards,
            self._read.request_digests,
            ascends=False,
            first=FIRST_ITEMS,
            max_late=MAX_LATE,
        )
        covered: list[CountedDay] = []
        for day in days:
            current = day.directory
            begin = day_start(current.day)
            # Whole hours, or the whole day, within the range.
            low = -(-max(self._start, begin) // unit) * unit
            high = min(self._whole_end, begin + DAY) // unit * unit
            segments = current.overlapping(low, high)
            # While a log is being deleted, some numbers have it and others do not.
            is_usable = not current.erasures and len(current.readable) == len(current.segments)
            if low < high and segments and is_usable:
                covered.append(CountedDay(day, low, high, segments))
            if self._read.is_spent:
                break
        return covered[::-1]

    def _with_counts(self, days: list[CountedDay]) -> Iterator[tuple[CountedDay, Counts]]:
        """Yield days with their counts of all values. Costs one BatchGetItem per 100 items."""
        keys = {day.low: generations.day_counts_keys(day.day.directory) for day in days}
        data = self._read.get_listed([key for each in keys.values() for key in each])
        for day in days:
            counts = Counts()
            for key in keys[day.low]:
                counts.merge(unpack_counts(data[key["partition"], key["sort"]]))
            yield day, counts

    def _groups(self, counts: Counts) -> Iterator[tuple[CountGroup, bool]]:
        """Yield the visible groups of counts, and whether some of their logs may have expired."""
        now = time.time()
        for group in counts.groups.values():
            if not (group.is_over(now) or (group.is_own and not self._plan.includes_own)):
                yield group, group.is_partly_expired(now)

    def _add_hours(self, day: CountedDay, counted: CountedValues) -> None:
        """Add the hours of a day, by type."""
        begin = day_start(day.day.directory.day)
        for group, is_partly in self._groups(day.day.directory.counts):
            for hour, tally in group.hours.items():
                moment = begin + hour * HOUR
                if not day.low <= moment < day.high:
                    continue
                self._add(moment, *counted.number(tally), is_skipped=is_partly)
                if not is_partly:
                    by_type = counted.types_of_hour(tally)
                    self._result.types[self._result.bucket_of(moment)].merge(by_type)
                    if "type" in self._scope.fields:
                        self._result.values["type"].merge(by_type)
                elif "type" in self._scope.fields:
                    self._result.lower_bounds.add("type")

    def _add_day(self, day: CountedDay, counts: Counts, counted: CountedValues) -> None:
        """Add the counts of all values of a day."""
        for group, is_partly in self._groups(counts):
            if not counted.is_by_hour:
                number, is_exact = counted.number(counted.tally(group))
                self._add(day.low, number, is_exact, is_skipped=is_partly)
                if "type" not in counted.day_fields:
                    self._result.types[self._result.bucket_of(day.low)].merge(Tally(rest=number))
            for name, tally in counted.field_tallies(group).items():
                if is_partly:
                    self._result.lower_bounds |= {name} & set(self._scope.fields)
                    continue
                if name == "type":
                    self._result.types[self._result.bucket_of(day.low)].merge(tally)
                if name in self._scope.fields:
                    self._result.values[name].merge(tally)

    def _add(self, moment: int, number: int, is_exact: bool, *, is_skipped: bool) -> None:
        """Add a number to a bucket. Logs that may have expired are skipped: the number is a lower bound."""
        bucket = self._result.buckets[self._result.bucket_of(moment)]
        bucket.add(0 if is_skipped else number, is_exact=is_exact and not (is_skipped and number))

    def _cover(self, day: CountedDay, names: set[str]) -> None:
        """Record that digests counted a day. If it has too many late logs, its numbers are lower bounds."""
        for segment, low, high in day.parts:
            self.ranges.add(low, high, names)
            for name in names & set(self._scope.fields):
                self._result.add_unread(name, low, high)
            if day.day.is_overfull:
                self._result.mark(low, high, names)
            elif BUCKETS in names:
                self.late += [(segment, each) for each in day.day.missing(segment, low, high)]
