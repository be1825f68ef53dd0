"""Which parts of a range of time have digests, in reading order."""

import heapq
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import groupby
from typing import Any

from logs.digests import directory, late
from logs.digests.directory import DAY_LENGTH, Directory, Segment
from logs.digests.late import LateItem
from logs.digests.moments import DAY, day_of, day_start, to_time
from logs.digests.source import Request
from logs.storage import dynamodb
from logs.storage.digest_items import DigestItem
from logs.storage.late_items import SEPARATOR
from logs.times import to_text

# How many items of the directory one request reads, at first and at most. Each request reads four times as
# many.
FIRST_ITEMS, MAX_ITEMS, GROWTH = 8, 2_000, 4
# All late items of a day are read before its logs, and 5,000 take about 1 MB and three requests. The digests
# of a day with more are not used, until the builder has built its segments again.
MAX_LATE = 5_000


@dataclass(frozen=True)
class Hole:
    """A range without digests, `start` ≤ moment < `end`. It is read from the logs."""

    start: int
    end: int


@dataclass(frozen=True)
class Covered:
    """A part of a segment, `start` ≤ moment < `end`.

    `late` are the late logs that the segment may lack, in reading order.
    """

    segment: Segment
    start: int
    end: int
    late: tuple[LateItem, ...]


def read(
    start: int,
    end: int,
    shards: int,
    request: Request,
    *,
    ascends: bool,
    broken: Collection[str] = (),
) -> Iterator[Hole | Covered]:
    """Yield the parts of a range in reading order, without gaps.

    The range is `start` ≤ moment < `end`. Segments whose generation is `broken` count as holes, and so do
    days with too many late logs. Costs a consistent Query per sorting shard, and further ones as the reading
    goes on.
    """
    done = start if ascends else end
    late_items = 0
    for day in read_days(start, end, shards, request, ascends=ascends):
        segments = [
            each
            for each in day.directory.readable
            if each.start < end and each.end > start and each.generation not in broken
        ]
        late_items += len(day.late)
        if day.is_overfull:
            segments = []
        if not segments and late_items > MAX_ITEMS:
            # The rows of the hole come before the late items of further days, which may be many.
            begin = day_start(day.directory.day)
            low, high = max(begin, start), min(begin + DAY, end)
            hole = Hole(done, high) if ascends else Hole(low, done)
            if hole.start < hole.end:
                yield hole
                done = high if ascends else low
                late_items = 0
        for segment in segments if ascends else reversed(segments):
            low, high = max(segment.start, start), min(segment.end, end)
            if ascends and done < low:
                yield Hole(done, low)
            elif not ascends and done > high:
                yield Hole(high, done)
            yield Covered(segment, low, high, day.missing(segment, low, high))
            done = high if ascends else low
    if ascends and done < end:
        yield Hole(done, end)
    elif not ascends and done > start:
        yield Hole(start, done)


@dataclass(frozen=True)
class Day:
    """The directory of a day, and its late items in reading order.

    If there are too many, only some of them were read, and the day is overfull.
    """

    directory: Directory
    late: tuple[LateItem, ...]
    is_overfull: bool = False

    def missing(self, segment: Segment, low: int, high: int) -> tuple[LateItem, ...]:
        """Return the late logs of a range that a segment may lack."""
        return tuple(
            each for each in self.late if low <= each.moment < high and not each.is_settled(segment.began)
        )


def read_days(
    start: int,
    end: int,
    shards: int,
    request: Request,
    *,
    ascends: bool,
    first: int = FIRST_ITEMS,
    max_late: int | None = None,
) -> Iterator[Day]:
    """Yield the days with a directory or late items, in reading order.

    A day with more than `max_late` late items, or MAX_LATE, is overfull. Costs a consistent Query per sorting
    shard, of `first` items, and further ones as the reading goes on.
    """
    max_late = MAX_LATE if max_late is None else max_late
    streams = _streams(start, end, shards, request, ascends=ascends, first=first, max_late=max_late)
    items = heapq.merge(*streams, key=_sort, reverse=not ascends)
    for day, raws in groupby(items, key=_day):
        late_items, current = [], Directory(date.fromisoformat(day))
        for raw in raws:
            if late.is_late(raw):
                late_items.append(late.from_raw(raw))
            else:
                current = directory.from_item(DigestItem.from_raw_data(raw))
        yield Day(current, tuple(late_items), len(late_items) > max_late)


def _sort(raw: dict[str, Any]) -> str:
    return str(raw["sort"]["S"])


def _day(raw: dict[str, Any]) -> str:
    """Return the day of a directory, or of a late item."""
    return _sort(raw)[:DAY_LENGTH]


@dataclass
class _Query:
    """The queries of one partition: the range of sort keys that is left, and the size of the next page."""

    partition: str
    low: str
    high: str
    ascends: bool
    limit: int

    def call(self, last: dict[str, Any] | None) -> Callable[[], dict[str, Any]]:
        """Return the call that reads the page after a key."""
        return partial(
            dynamodb.query,
            DigestItem,
            self.partition,
            DigestItem.sort.between(self.low, self.high),
            ascends=self.ascends,
            start=last,
            limit=self.limit,
            consistent=True,
        )

    def skip(self, day: str) -> bool:
        """Leave out the other late items of a day. Return whether anything is left."""
        if self.ascends:
            self.low = f"{day}~"
        else:
            self.high = day
        return self.low <= self.high


def _streams(
    start: int, end: int, shards: int, request: Request, *, ascends: bool, first: int, max_late: int
) -> list[Iterator[dict[str, Any]]]:
    """Return streams of directories and late items in reading order.

    Their first requests are sent at once.
    """
    low = day_of(start).isoformat()
    # A late item has an id after its time.
    high = f"{to_text(to_time(end - 1))}{SEPARATOR}~"
    queries = [_Query(partition, low, high, ascends, first) for partition in late.partitions(shards)]
    responses = request([query.call(None) for query in queries])
    return [
        _stream(query, response, request, max_late)
        for query, response in zip(queries, responses, strict=True)
    ]


def _stream(
    query: _Query, response: dict[str, Any], request: Request, max_late: int
) -> Iterator[dict[str, Any]]:
    day, late_items = "", 0
    while True:
        last = response.get("LastEvaluatedKey")
        for raw in response["Items"]:
            if _day(raw) != day:
                day, late_items = _day(raw), 0
            is_late = late.is_late(raw)
            late_items += is_late
            yield raw
            if is_late and late_items > max_late:
                if not query.skip(day):
                    return
                last = None
                break
        else:
            if not last:
                return
        query.limit = min(query.limit * GROWTH, MAX_ITEMS)
        [response] = request([query.call(last)])
