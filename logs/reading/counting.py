"""How many logs match a filter, by time and by value.

Digests count whole hours, or whole days, of closed ranges. A bounded read of the index counts the rest:
ranges without digests, and the parts of hours at both ends. Late logs that the digests lack are added.
"""

import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logs.digests import blocks, coverage, generations
from logs.digests.chunks import chunks_of
from logs.digests.counts import Counts, Tally, unpack_counts
from logs.digests.coverage import Day
from logs.digests.directory import ItemMissing, Segment
from logs.digests.late import LateItem
from logs.digests.moments import DAY, END, day_start, to_moment, to_time
from logs.digests.segment_writer import block_sort, chunk_sort, unpack_chunk
from logs.models import LogItem
from logs.reading.count_result import HOUR, Bucket, CountResult, bucket_moments, empty_result
from logs.reading.counted_values import CountedValues, counted_values
from logs.reading.log_match import LogMatch
from logs.reading.merge import Merge
from logs.reading.whole_logs import WholeLogs
from logs.storage.digest_items import DigestsUnavailable
from logs.times import parse

if TYPE_CHECKING:
    from logs.reading.page import PageRead

ATTEMPTS = 2
# More late logs of one request, or of one day, are not fetched: the numbers are then lower bounds.
MAX_LATE = 500
# The days that the first request of the directory reads.
FIRST_ITEMS = 2_000
# The days whose counts of all values are read at once: 64 KB each.
DAYS_PER_READ = 100
# More days are not read for such counts: their numbers are then lower bounds, unless the index has few logs.
MAX_DAYS = 500
# The index is read in pages of this size.
PAGE = 1_000


@dataclass(frozen=True)
class CountedDay:
    """The part of a day that digests count, and its segments.

    The part is `low` ≤ moment < `high`.
    """

    day: Day
    low: int
    high: int
    segments: list[Segment]


class Counting:
    """Counts the logs of a plan with `start` ≤ moment < `end`."""

    def __init__(
        self, read: "PageRead", start: int, end: int, bucket: Bucket, fields: tuple[str, ...]
    ) -> None:
        """Prepare to count. `end` may be before the end of the plan's range if there are no later logs."""
        self._read = read
        self._plan = read.plan.by_index()
        self._start, self._end = start, end
        # No log is between `end` and this, so counts of the last hour, or of the last day, are whole.
        self._whole_end = END if self._plan.high is None else to_moment(self._plan.high) + 1
        self._bucket, self._length = bucket, bucket.length
        self._fields = fields
        self._counted = counted_values(read.plan.filter, fields, is_by_hour=bucket is Bucket.HOUR)
        self._moments = bucket_moments(start, end, bucket)

    def run(self) -> CountResult:
        """Return the numbers.

        Costs a Query of the directory, at least one of the index for the ranges without digests, and a few
        requests for late logs. Counts of whole days cost up to 8 read units a day.
        """
        for _ in range(ATTEMPTS):
            try:
                return self._count(self._counted)
            except ItemMissing:
                # Digests were replaced in the meantime, so the directory is read again.
                continue
            except DigestsUnavailable:
                break
        return self._count(None)

    def _count(self, counted: CountedValues | None) -> CountResult:
        self._result = empty_result(self._bucket, self._moments, self._fields)
        self._late: list[tuple[Segment, LateItem]] = []
        rest, done = [], self._start
        for low, high in sorted(self._count_days(counted)) if counted else ():
            rest.append((done, low))
            done = high
        rest.append((done, self._end))
        self._add_late()
        # The newest first: if the budget is spent, older numbers are lower bounds.
        for low, high in reversed(rest):
            if low < high:
                self._count_rows(low, high)
        return self._result

    def _count_days(self, counted: CountedValues) -> Iterator[tuple[int, int]]:
        """Count the days with digests. Yield the ranges that are counted, the newest days first."""
        days = self._covered_days(counted)
        if not counted.is_by_hour:
            days = days[-MAX_DAYS:]
        while days and not self._read.is_spent:
            group, days = days[-DAYS_PER_READ:], days[:-DAYS_PER_READ]
            for day, counts in self._with_counts(group, counted):
                self._add_groups(day, counts, counted)
                for segment in day.segments:
                    part = max(day.low, segment.start), min(day.high, segment.end)
                    if day.day.is_overfull:
                        self._mark(*part)
                    else:
                        self._late += [(segment, each) for each in day.day.missing(segment, *part)]
                    yield part

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

    def _with_counts(
        self, days: list[CountedDay], counted: CountedValues
    ) -> Iterator[tuple[CountedDay, Counts]]:
        """Yield days with their counts. Costs one BatchGetItem per 100 items of counts of all values."""
        if counted.is_by_hour:
            yield from ((day, day.day.directory.counts) for day in days)
            return
        keys = {day.low: generations.day_counts_keys(day.day.directory) for day in days}
        data = self._read.get_listed([key for each in keys.values() for key in each])
        for day in days:
            counts = Counts()
            for key in keys[day.low]:
                counts.merge(unpack_counts(data[key["partition"], key["sort"]]))
            yield day, counts

    def _add_groups(self, day: CountedDay, counts: Counts, counted: CountedValues) -> None:
        """Add the counts of a day, or of a part of it."""
        now = time.time()
        begin = day_start(day.day.directory.day)
        for group in counts.groups.values():
            if group.is_over(now) or (group.is_own and not self._plan.includes_own):
                continue
            is_partly = group.is_partly_expired(now)
            if not counted.is_by_hour:
                self._add(begin, *counted.number(counted.tally(group)), is_skipped=is_partly)
                self._add_values({} if is_partly else counted.field_tallies(group))
                continue
            for hour, tally in group.hours.items():
                if day.low <= begin + hour * HOUR < day.high:
                    self._add(begin + hour * HOUR, *counted.number(tally), is_skipped=is_partly)
                    self._add_values({} if is_partly else counted.hour_tallies(tally))

    def _add(self, moment: int, number: int, is_exact: bool, *, is_skipped: bool) -> None:
        """Add a number to a bucket. Logs that may have expired are skipped: the number is a lower bound."""
        bucket = self._result.buckets[moment // self._length * self._length]
        bucket.add(0 if is_skipped else number, is_exact=is_exact and not (is_skipped and number))

    def _add_values(self, tallies: dict[str, Tally]) -> None:
        """Add the numbers of values. A field without a tally is not counted at all."""
        for name in list(self._result.values):
            if name in tallies:
                self._result.values[name].merge(tallies[name])
            else:
                del self._result.values[name]

    def _count_rows(self, low: int, high: int) -> None:
        """Count the logs of a range in the index, within the budget."""
        if self._plan.filter.needs_documents:
            self._mark(low, high)
            return
        merge = Merge(self._read, None, PAGE, self._plan.within(to_time(low), to_time(high - 1)))
        if self._read.is_spent:
            self._mark(low, high)
            return
        for row in merge:
            self._add_row(row)
        if cut := merge.cut:
            moment = to_moment(parse(cut.created_at))
            self._mark(*((moment, high) if self._plan.ascends(None) else (low, moment + 1)))

    def _add_row(self, row: LogItem) -> None:
        moment = to_moment(row.created_at)
        self._result.buckets[moment // self._length * self._length].add(1)
        for name, tally in self._result.values.items():
            tally.add(getattr(row, name))

    def _mark(self, low: int, high: int) -> None:
        """Mark the numbers of a range that was not read whole as lower bounds."""
        for moment in range(low // self._length * self._length, high, self._length):
            self._result.buckets[moment].is_exact = False
        self._result.has_exact_values = False

    def _add_late(self) -> None:
        """Add the late logs that no block has. Costs a BatchGetItem for 100, and their blocks."""
        candidates, others = self._late[:MAX_LATE], self._late[MAX_LATE:]
        for _, each in others:
            self._mark(each.moment, each.moment + 1)
        match = LogMatch(self._plan.by_digests())
        items = WholeLogs(self._read).fetch([each.log_id for _, each in candidates])
        missing: dict[Segment, dict[str, LogItem]] = {}
        for segment, each in candidates:
            item = items.get(each.log_id)
            if item and match.is_match(item):
                missing.setdefault(segment, {})[item.id] = item
        for segment, logs in missing.items():
            in_blocks = self._in_blocks(segment, logs.values())
            for log_id, item in logs.items():
                if log_id not in in_blocks:
                    self._add_row(item)

    def _in_blocks(self, segment: Segment, logs: Collection[LogItem]) -> set[str]:
        """Return the ids of the logs that the blocks of a segment have."""
        moments = {to_moment(item.created_at) for item in logs}
        numbers = {number for moment in moments for number in chunks_of(segment, moment)}
        heads = [
            head
            for data in self._read_data(segment, map(chunk_sort, sorted(numbers)))
            for head, _ in unpack_chunk(data)
            if any(head.start <= moment <= head.end for moment in moments)
        ]
        data = self._read_data(segment, [block_sort(head.number) for head in heads])
        return {entry.log_id for each in data for entry in blocks.unpack(each).entries}

    def _read_data(self, segment: Segment, sorts: Iterable[str]) -> list[bytes]:
        keys = [{"partition": segment.generation, "sort": sort} for sort in sorts]
        return list(self._read.get_listed(keys).values())
