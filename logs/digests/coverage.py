"""Which parts of a range of time have digests, in reading order."""

import heapq
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import groupby

from logs.digests import directory, late
from logs.digests.directory import Directory, Segment
from logs.digests.late import LateItem
from logs.digests.moments import day_of, to_time
from logs.digests.source import Request
from logs.storage import dynamodb
from logs.storage.digest_items import DigestItem
from logs.storage.late_items import SEPARATOR
from logs.times import to_text

# How many items of the directory one request reads, at first and at most. Each request reads four times as
# many.
FIRST_ITEMS, MAX_ITEMS, GROWTH = 8, 2_000, 4


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

    The range is `start` ≤ moment < `end`. Segments whose generation is `broken` count as holes. Costs a
    consistent Query per sorting shard, and further ones as the reading goes on.
    """
    done = start if ascends else end
    for day in read_days(start, end, shards, request, ascends=ascends):
        segments = [
            each
            for each in day.directory.readable
            if each.start < end and each.end > start and each.generation not in broken
        ]
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
    """The directory of a day, and its late items in reading order."""

    directory: Directory
    late: tuple[LateItem, ...]

    def missing(self, segment: Segment, low: int, high: int) -> tuple[LateItem, ...]:
        """Return the late logs of a range that a segment may lack."""
        return tuple(
            each for each in self.late if low <= each.moment < high and not each.is_settled(segment.began)
        )


def read_days(
    start: int, end: int, shards: int, request: Request, *, ascends: bool, first: int = FIRST_ITEMS
) -> Iterator[Day]:
    """Yield the days with a directory or late items, in reading order.

    Costs a consistent Query per sorting shard, of `first` items, and further ones as the reading goes on.
    """
    for day, items in groupby(_items(start, end, shards, request, ascends=ascends, first=first), key=_day):
        late_items, current = [], Directory(day)
        for item in items:
            if item.written_at is None:
                current = directory.from_item(item)
            else:
                late_items.append(late.from_item(item))
        yield Day(current, tuple(late_items))


def _day(item: DigestItem) -> date:
    """Return the day of a directory, or of a late item."""
    return date.fromisoformat(item.sort[: len("2026-11-25")])


def _items(
    start: int, end: int, shards: int, request: Request, *, ascends: bool, first: int
) -> Iterator[DigestItem]:
    """Yield directories and late items in reading order."""
    low = day_of(start).isoformat()
    # A late item has an id after its time.
    high = f"{to_text(to_time(end - 1))}{SEPARATOR}~"
    streams = [
        _stream(partition, low, high, request, ascends=ascends, limit=first)
        for partition in late.partitions(shards)
    ]
    return heapq.merge(*streams, key=_sort, reverse=not ascends)


def _sort(item: DigestItem) -> str:
    return str(item.sort)


def _stream(
    partition: str, low: str, high: str, request: Request, *, ascends: bool, limit: int
) -> Iterator[DigestItem]:
    last = None
    while True:
        query = partial(
            dynamodb.query,
            DigestItem,
            partition,
            DigestItem.sort.between(low, high),
            ascends=ascends,
            start=last,
            limit=limit,
            consistent=True,
        )
        [response] = request([query])
        yield from map(DigestItem.from_raw_data, response["Items"])
        last = response.get("LastEvaluatedKey")
        if not last:
            return
        limit = min(limit * GROWTH, MAX_ITEMS)
