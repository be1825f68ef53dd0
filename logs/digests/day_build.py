"""Build the missing and the outdated segments of a day."""

import logging
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import islice

from logs.digests import coverage, directory, erasure, late, source
from logs.digests.coverage import Day
from logs.digests.directory import Directory, Segment
from logs.digests.late import LateItem
from logs.digests.moments import DAY, day_start, to_moment
from logs.digests.segment_build import (
    DayImporting,
    DirectoryFull,
    build_segment,
    delete_unlisted,
    write_day_counts,
)
from logs.digests.time_limit import BEGIN_SECONDS, GIVE_UP_SECONDS, OutOfTime, SegmentLogs, TimeLimit

logger = logging.getLogger(__name__)

# A segment has at most MAX_LOGS logs, unless they share one moment. During its day it is closed when it has
# MIN_LOGS.
MIN_LOGS, MAX_LOGS = 2_000, 20_000
# A segment is built again if it lacks at least this number of late logs, and this share of its logs.
MIN_LATE, LATE_SHARE = 20, 0.05
# The items of the directory that one request reads.
DAYS_PER_REQUEST = 2_000
# Another builder, or the deletion of a log, may keep a segment from being listed.
ATTEMPTS = 4


class Overtaken(Exception):
    """A segment was not listed, because others changed its day.

    They are another builder, or the deletion of a log.
    """


class DayBuild:
    """Builds segments of days, within the time of a run.

    `logs`, `segments` and `deleted_items` count the built logs and segments, and the deleted late items.
    `is_overtaken` is whether a range was left to another builder, or to the next run.
    """

    def __init__(
        self,
        began: int,
        shards: int,
        limit: TimeLimit,
        begin: Callable[[date], None],
        report: Callable[[date, Segment], None],
    ) -> None:
        """Prepare a run that began at a moment.

        `begin` is called before a segment is built, and `report` after that.
        """
        self.logs = self.segments = self.deleted_items = 0
        self.is_overtaken = False
        self._began = began
        self._shards = shards
        self._time = limit
        self._begin = begin
        self._report = report

    def days(self, start: int, end: int) -> Iterator[Day]:
        """Yield the days of a range with a directory or late items."""
        return coverage.read_days(
            start, end, self._shards, source.call_each, ascends=True, first=DAYS_PER_REQUEST
        )

    def clean(self, current: Directory) -> Directory:
        """Delete unlisted generations, and finish deletions of logs. Return the directory after that.

        Another builder that is at work on this day cannot list its segment after that.
        """
        if not (current.pending or current.erasures):
            return current
        for log_id, each in current.erasures.items():
            erasure.recover(current.day, log_id, each)
        fenced = directory.update(current.day, lambda each: replace(each, edits=each.edits + 1))
        return delete_unlisted(current.day, fenced.pending)

    def fill_holes(self, current: Directory, start: int, end: int) -> int:
        """Build the ranges of a day that no segment covers. Return the moment up to which it is complete."""
        for _ in range(ATTEMPTS):
            try:
                if current.is_full:
                    raise DirectoryFull
                if current.is_importing:
                    raise DayImporting
                return self._fill_each_hole(current, start, end)
            except DirectoryFull:
                # The range stays a hole, which is read from the index.
                logger.warning("The directory of %s is full: some of its logs have no digests", current.day)
                return end
            except DayImporting:
                # A hole too. It is filled when the import has ended.
                return end
            except Overtaken:
                # Another builder may have filled the hole.
                current = directory.read(current.day)
        self.is_overtaken = True
        return next(current.holes(start, end), (end, end))[0]

    def replace(self, day: date, low: int, high: int) -> None:
        """Build the segments of a range again, each within some attempts."""
        attempts = ATTEMPTS
        while low < high and attempts:
            try:
                low, attempts = self._build_first(day, low, high, is_closing=True), ATTEMPTS
            except DayImporting:
                return
            except Overtaken:
                attempts -= 1
        if low < high:
            self.is_overtaken = True

    def check(self, day: Day, frontier: int) -> None:
        """Build the segments of a day that need it.

        Ranges need it that a killed builder left without one, and segments that lack many late logs or have
        another format. Without these, and without late items that are not needed any more, it costs nothing.
        Digests are complete up to `frontier`.
        """
        current = self.clean(day.directory)
        segments = day.directory.segments
        lacking = self._count_lacking(day)
        for number, segment in enumerate(segments):
            min_late = max(MIN_LATE, LATE_SHARE * segment.logs)
            if day.is_overfull:
                # The digests of the day are not used before it has half of the late items at most.
                min_late = min(min_late, max(MIN_LATE, coverage.MAX_LATE // (2 * len(segments))))
            if lacking[number] >= min_late or not segment.is_readable:
                self.replace(current.day, segment.start, segment.end)
                current = directory.read(current.day)
        start = day_start(current.day)
        end = min(start + DAY, frontier)
        is_closed = end == start + DAY
        needs_wide = is_closed and not current.wide and any(segment.logs for segment in current.segments)
        # A day that lost all its segments has a directory still.
        has_holes = any(current.holes(start, end)) and (current.version or lacking[-1] >= MIN_LATE)
        if needs_wide or has_holes:
            self.fill_holes(current, start, end)

    def _fill_each_hole(self, current: Directory, start: int, end: int) -> int:
        day_end = day_start(current.day) + DAY
        for low, high in list(current.holes(start, end)):
            reached = self._fill(current.day, low, high, is_closing=high < end or high == day_end)
            if reached < high:
                return reached
        if end == day_end:
            write_day_counts(current.day)
        return end

    def _fill(self, day: date, low: int, high: int, *, is_closing: bool) -> int:
        """Build segments from `low` to `high`. Return the moment reached. Raises Overtaken.

        Without `is_closing`, few logs at the end wait for more.
        """
        while low < high:
            reached = self._build_first(day, low, high, is_closing=is_closing)
            if reached == low:
                return low
            low = reached
        return low

    def _build_first(self, day: date, low: int, high: int, *, is_closing: bool) -> int:
        """Build the first segment of a range. Return its end, or `low` if its logs wait for more.

        Raises Overtaken and OutOfTime.
        """
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
        self._time.check(BEGIN_SECONDS)
        self._begin(day)
        segment = build_segment(day, low, SegmentLogs(segment_rows, end, self._time), began)
        if segment is None:
            raise Overtaken
        self.logs += segment.logs
        self.segments += 1
        self._report(day, segment)
        self._delete_settled(late.stream(segment.start, segment.end, self._shards), segment)
        if segment.end < end:
            raise OutOfTime
        return end

    def _delete_settled(self, items: Iterable[LateItem], segment: Segment) -> None:
        """Delete the late items of a segment whose logs it has. Raise OutOfTime near the deadline."""
        settled = (each for each in items if each.is_settled(segment.began))
        self.deleted_items += late.delete_all(settled, lambda: self._time.check(GIVE_UP_SECONDS))

    def _count_lacking(self, day: Day) -> Counter[int]:
        """Return the numbers of late logs that segments lack, by the place of the segment.

        -1 is the place of logs in no segment. Late items that are not needed any more are deleted. Costs a
        Query per 1 MB of late items if the day has too many.
        """
        current = day.directory
        starts = [each.start for each in current.segments]
        lacking: Counter[int] = Counter()

        def unneeded() -> Iterator[LateItem]:
            begin = day_start(current.day)
            items = late.stream(begin, begin + DAY, self._shards) if day.is_overfull else iter(day.late)
            for each in items:
                place = bisect_right(starts, each.moment) - 1
                if place < 0 or each.moment >= current.segments[place].end:
                    lacking[-1] += 1
                elif each.is_settled(current.segments[place].began):
                    yield each
                # Building keeps the late item of a log that is not settled, so it would begin again.
                elif each.is_settled(self._began):
                    lacking[place] += 1

        self.deleted_items += late.delete_all(unneeded(), lambda: self._time.check(GIVE_UP_SECONDS))
        return lacking
