"""From a filter to the queries that answer it. Pure: no I/O and no Django."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from logs import times
from logs.filters import LogFilter, Order
from logs.models import (
    AccountIndex,
    AccountTypeIndex,
    SortingIndex,
    TypeIndex,
    account_type_key,
    shard_statuses,
)

MAX_STREAMS = 50
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Stream:
    """One partition of one index: the logs under one key, in time order."""

    index: str
    key: str

    @property
    def tag(self) -> str:
        """Return 8 hex digits that tell this stream from the others of a plan, however long its key is."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:8]


class Direction(StrEnum):
    """Which way a page lies from a position: on in the order asked for, or back."""

    NEXT = "n"
    PREVIOUS = "p"


@dataclass(frozen=True)
class Key:
    """Where a log stands: `created_at` as it is spelled in the table, its id, and its partition's key.

    Without id and partition it is a moment, and no log. `is_row` tells a log that a page showed from one that
    was only looked at.
    """

    created_at: str
    id: str = ""
    partition: str | None = None
    is_row: bool = False


@dataclass(frozen=True)
class Position:
    """Where a page begins: beside a log, at a moment, or at the far end.

    Without a key the page is read back from the end of the order. `inclusive` takes the key's own log along,
    where it was a row: it leads back from an empty page to the last row before it.
    """

    direction: Direction
    key: Key | None = None
    inclusive: bool = False


END = Position(Direction.PREVIOUS)


def begin_at(moment: datetime) -> Position:
    """Return the position at which the page begins that starts at this moment."""
    return Position(Direction.NEXT, Key(times.to_text(moment)))


@dataclass(frozen=True)
class Span:
    """What is read of one stream: the times `low` to `high`, both included, after the log `start`."""

    low: datetime | None
    high: datetime | None
    start: Key | None = None


@dataclass(frozen=True)
class QueryPlan:
    """The streams that answer a filter, and the times `low` to `high` of each, both included.

    The streams are merged into one order: by time, then by partition key, then as the engine has them.
    """

    filter: LogFilter
    streams: tuple[Stream, ...]
    low: datetime | None
    high: datetime | None

    @property
    def index(self) -> str:
        """Return the name of the index that is read."""
        return self.streams[0].index

    def ascends(self, position: Position | None) -> bool:
        """Tell whether reading from this position goes towards later times."""
        forth = position is None or position.direction is Direction.NEXT
        return (self.filter.order is Order.OLDEST) is forth

    def span(self, stream: Stream, position: Position | None) -> Span | None:
        """Return what lies of a stream beyond a position, or None where nothing can.

        A position is a single cut through the merged order. The stream that owns its key starts after it; of
        the others a range of time is left, whose end is in it or not as their partition's key compares.
        """
        low, high = self.low, self.high
        if position and (key := position.key):
            moment = times.parse(key.created_at)
            ascends = self.ascends(position)
            # DynamoDB refuses a start key outside the range that it reads: a log around which is read may be.
            is_within = (low is None or low <= moment) and (high is None or moment <= high)
            if stream.key == key.partition and is_within:
                return Span(low, high, key)
            beyond = key.partition is None or (stream.key > key.partition) is ascends
            try:
                if ascends:
                    cut = moment if beyond else moment + MICROSECOND
                    low = max(low, cut) if low else cut
                else:
                    cut = moment if beyond else moment - MICROSECOND
                    high = min(high, cut) if high else cut
            except OverflowError:
                return None  # nothing is later than the last moment, or earlier than the first
        return None if low and high and low > high else Span(low, high)


def make_plan(asked: LogFilter, shards: int = 1) -> QueryPlan:
    """Return the plan for a filter: the narrowest index that answers it, a stream for each of its keys.

    `shards` is the greatest number of sorting shards ever written with. Raises ValueError where the filter's
    end does not lie after its start, or where it takes over MAX_STREAMS streams.
    """
    if asked.start and asked.end and asked.start >= asked.end:
        raise ValueError(f"the time range ends at {asked.end} but begins at {asked.start}")
    streams = _streams(asked, shards)
    if len(streams) > MAX_STREAMS:
        raise ValueError(
            f"{len(asked.account_id)} accounts and {len(asked.type)} types make {len(streams)} "
            f"combinations; at most {MAX_STREAMS} can be read at once"
        )
    return QueryPlan(
        filter=asked,
        streams=streams,
        low=asked.start,
        # DynamoDB's BETWEEN includes both ends, and a time is kept to the microsecond.
        high=asked.end - MICROSECOND if asked.end else None,
    )


def _streams(asked: LogFilter, shards: int) -> tuple[Stream, ...]:
    accounts, types = dict.fromkeys(asked.account_id), dict.fromkeys(asked.type)
    if accounts and types:
        keys = [account_type_key(account, type_) for account in accounts for type_ in types]
        return tuple(Stream(AccountTypeIndex.Meta.index_name, key) for key in keys)
    if accounts:
        return tuple(Stream(AccountIndex.Meta.index_name, account) for account in accounts)
    if types:
        return tuple(Stream(TypeIndex.Meta.index_name, type_) for type_ in types)
    return tuple(Stream(SortingIndex.Meta.index_name, status) for status in shard_statuses(shards))
