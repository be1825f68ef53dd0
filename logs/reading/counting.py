"""How many logs match a filter, by time and by value.

Digests count whole hours by type, and whole days by further values, of closed ranges. A bounded read of the
index counts the rest: ranges without digests, the parts of hours at both ends, and fields that digests lack.
Late logs that the digests lack are added.
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from logs.digests import source
from logs.digests.directory import ItemMissing
from logs.digests.moments import DAY, MICROSECOND, to_moment, to_time
from logs.models import LogItem
from logs.reading.budget import MAX_COUNTED
from logs.reading.count_result import HOUR, CountResult, empty_result
from logs.reading.count_scope import CountScope
from logs.reading.counted_ranges import BUCKETS, Part
from logs.reading.counted_values import CountedValues, counted_values
from logs.reading.digest_counts import MAX_LATE, DigestCounts
from logs.reading.late_rows import late_rows
from logs.reading.merge import Merge
from logs.storage.digest_items import DigestsUnavailable
from logs.times import parse

if TYPE_CHECKING:
    from logs.reading.page import PageRead

ATTEMPTS = 2
# The writer accepts logs this far ahead of its clock.
MAX_AHEAD = timedelta(minutes=15) // MICROSECOND

# From the first moment of a range, and the one after its end, to the first moments of its buckets.
Starts = Callable[[int, int], Sequence[int]]


def count_logs(read: "PageRead", starts: Starts, scope: CountScope) -> CountResult:
    """Return the numbers of a plan.

    A range without a beginning begins with the first log, one without an end ends now. Costs as
    `Counting.run`, and one Query of one item per shard for a range without a beginning.
    """
    plan = read.plan
    now = to_moment(datetime.now(UTC)) + MAX_AHEAD
    end = now if plan.high is None else min(now, to_moment(plan.high) + 1)
    start = to_moment(plan.low) if plan.low else source.first_moment(None, end, plan.shards, read.request)
    if start is None or start >= end:
        return empty_result(end, end, (), scope.fields)
    result = Counting(read, start, end, starts(start, end), scope).run()
    read.cost.seconds = read.seconds
    return result


class Counting:
    """Counts the logs of a plan with `start` ≤ moment < `end`."""

    def __init__(
        self, read: "PageRead", start: int, end: int, starts: Sequence[int], scope: CountScope
    ) -> None:
        """Prepare to count. `end` may be before the end of the plan's range if there are no later logs.

        `starts` are the first moments of the buckets, in order. The first one may be before `start`.
        """
        self._read = read
        self._plan = read.plan.by_index()
        self._start, self._end = start, end
        self._starts, self._scope = starts, scope
        self._counted = self._counted_values()

    def _counted_values(self) -> CountedValues | None:
        """Return the counts of digests that answer the filter in these buckets, or None."""
        counted = counted_values(self._plan.filter)
        unit = HOUR if counted and counted.is_by_hour else DAY
        return None if any(start % unit for start in self._starts[1:]) else counted

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
        self._result = empty_result(self._start, self._end, self._starts, self._scope.fields)
        digests = DigestCounts(self._read, self._plan, self._start, self._end, self._scope, self._result)
        if counted:
            digests.run(counted)
            self._add_late(digests)
        rest = list(digests.ranges.rest())
        if self._scope.is_small(self._result):
            self._count_runs(rest)
            return self._result
        needed = {BUCKETS} if self._scope.sample else {BUCKETS, *self._scope.fields}
        sampled = []
        # The newest first: if the budget is spent, older numbers are lower bounds.
        for part in rest:
            if part.names & needed:
                self._count_rows([part])
            else:
                sampled.append(part)
        self._count_sample(sampled)
        return self._result

    def _count_sample(self, parts: list[Part]) -> None:
        """Count the fields that digests lack, in as many items as the scope allows."""
        budget = self._read.budget
        limit = self._read.cost.examined + self._scope.sample
        if self._read.cost.queries >= self._scope.requests:
            limit = 0
        self._read.budget = replace(budget, examined=min(budget.examined, limit))
        self._count_runs(parts)
        self._read.budget = budget

    def _count_runs(self, parts: list[Part]) -> None:
        """Count the logs of parts in the index. Parts without gaps between them are read at once."""
        runs: list[list[Part]] = []
        for part in parts:
            if runs and runs[-1][-1].low == part.high:
                runs[-1].append(part)
            else:
                runs.append([part])
        for run in runs:
            self._count_rows(run)

    def _count_rows(self, parts: list[Part]) -> None:
        """Count the logs of neighboring parts in the index, within the budget. The newest part is first."""
        low, high = parts[-1].low, parts[0].high
        if self._plan.filter.needs_documents or self._read.is_spent:
            self._mark_parts(parts, low, high)
            return
        parts = parts[::-1]
        lows = [part.low for part in parts]
        merge = Merge(self._read, None, MAX_COUNTED, self._plan.within(to_time(low), to_time(high - 1)))
        for row in merge:
            moment = to_moment(row.created_at)
            part = parts[bisect_right(lows, moment) - 1]
            if moment < part.high:
                self._add_row(row, part.names)
        if cut := merge.cut:
            moment = to_moment(parse(cut.created_at))
            self._mark_parts(parts, *((moment, high) if self._plan.ascends(None) else (low, moment + 1)))

    def _mark_parts(self, parts: list[Part], low: int, high: int) -> None:
        for part in parts:
            first, last = max(low, part.low), min(high, part.high)
            if first < last:
                self._result.mark(first, last, part.names)

    def _add_row(self, row: LogItem, names: Collection[str]) -> None:
        for name in names:
            if name == BUCKETS:
                self._result.add_to_bucket(row)
            else:
                self._result.add_to_field(name, row)

    def _add_late(self, digests: DigestCounts) -> None:
        """Add the late logs that no block has. Costs a BatchGetItem for 100, and their blocks."""
        candidates, others = digests.late[:MAX_LATE], digests.late[MAX_LATE:]
        for _, each in others:
            self._result.mark(each.moment, each.moment + 1, digests.ranges.names_at(each.moment))
        for row in late_rows(self._read, self._plan, candidates):
            self._add_row(row, digests.ranges.names_at(to_moment(row.created_at)))
