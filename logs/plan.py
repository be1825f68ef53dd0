"""From a filter to the queries that answer it. Pure: no I/O and no Django."""

import operator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property, reduce
from typing import Any

from pynamodb.expressions.condition import Condition

from logs import index_choice, request_ids, times
from logs.filters import FILTERS, LogFilter, Order
from logs.index_choice import INDEX_FILTERS, Stream
from logs.models import OWN_PREFIX, LogItem, is_own_account, partition_key
from logs.plan_error import plan_error

MICROSECOND = timedelta(microseconds=1)
# The path of a plan that uses digests, on pages and in the API.
DIGESTS = "digests"


class Direction(StrEnum):
    """On which side of a position the page lies, in the filter's order."""

    NEXT = "n"
    PREVIOUS = "p"


@dataclass(frozen=True)
class Key:
    """The place of a log in the merged order. `created_at` is the stored text.

    Without id and partition it is a moment. `is_row` is whether a page showed the log; otherwise the log was
    examined and dropped by a post-filter.
    """

    created_at: str
    id: str = ""
    partition: str | None = None
    is_row: bool = False


@dataclass(frozen=True)
class Position:
    """Where a page begins: after a log, at a moment, or at the end.

    Without a key the page is read backwards from the end of the order. An `inclusive` position includes the
    log of its key if that was a row: it leads back from an empty page to the last row before it.
    """

    direction: Direction
    key: Key | None = None
    inclusive: bool = False


END = Position(Direction.PREVIOUS)


def begin_at(moment: datetime) -> Position:
    """Return the position of the page that begins at a moment."""
    return Position(Direction.NEXT, Key(times.to_text(moment)))


@dataclass(frozen=True)
class Span:
    """The part of a stream to read, after the log `start`. `low` and `high` are included."""

    low: datetime | None
    high: datetime | None
    start: Key | None = None


@dataclass(frozen=True)
class QueryPlan:
    """The streams that answer a filter. `low` and `high` are the range of each, both included.

    The streams are merged into one order: by time, then by partition key, then as the engine returns
    them. `includes_own` is whether logs of Logsite's own accounts are read. `uses_digests` is whether
    digests exclude logs first: the streams are then those of SortingIndex. It is None if `reading.path`
    decides.
    """

    filter: LogFilter
    streams: tuple[Stream, ...]
    low: datetime | None
    high: datetime | None
    includes_own: bool = False
    uses_digests: bool | None = None
    shards: int = 1

    @property
    def index(self) -> str:
        """Return the name of the index that is read."""
        return self.streams[0].index

    @property
    def path(self) -> str:
        """Return the name of the index that is read, or of the digests."""
        return DIGESTS if self.uses_digests else self.index

    def by_digests(self) -> "QueryPlan":
        """Return the plan of the same filter that uses digests."""
        return replace(self, streams=index_choice.sorting_streams(self.shards), uses_digests=True)

    def by_index(self) -> "QueryPlan":
        """Return the plan of the same filter that uses its index alone."""
        return replace(self, uses_digests=False)

    def within(self, low: datetime | None, high: datetime | None) -> "QueryPlan":
        """Return the plan for a part of its range. None is the end of the plan's own range."""
        return replace(self, low=low or self.low, high=high or self.high)

    def hides(self, item: LogItem) -> bool:
        """Return whether a log must not be shown: its account is Logsite's own."""
        return not self.includes_own and is_own_account(item.account_id)

    @property
    def keys(self) -> dict[str, tuple[str, ...]]:
        """Return the values that the index answers, by filter."""
        return {name: getattr(self.filter, name) for name in INDEX_FILTERS[self.index]}

    @property
    def post_filters(self) -> dict[str, Any]:
        """Return the values that DynamoDB compares with each item it reads, by filter."""
        return index_choice.post_filters(self.filter, self.index)

    @cached_property
    def condition(self) -> Condition | None:
        """Return the filter expression of the queries, or None if it drops no item.

        An item that it drops costs as many read units as one that it keeps.
        """
        conditions = [FILTERS[name].condition(value) for name, value in self.post_filters.items()]
        if ids := self.filter.request_ids:
            conditions.append(request_ids.condition(ids))
        # With accounts in the filter, no log of another account is read. DynamoDB refuses a filter expression
        # on a key, which the account is in AccountIndex.
        if not (self.includes_own or self.filter.account_id):
            conditions.append(~LogItem.account_id.startswith(OWN_PREFIX))
        return reduce(operator.and_, conditions) if conditions else None

    @property
    def needs_no_post_filter(self) -> bool:
        """Return whether the index query alone answers the filter."""
        return not (self.filter.needs_documents or self.filter.request_ids or self.post_filters)

    @property
    def narrows_the_range(self) -> bool:
        """Return whether a key or a closed time range limits the reads."""
        return bool(self.keys or (self.filter.start and self.filter.end))

    def ascends(self, position: Position | None) -> bool:
        """Return whether reading from this position goes towards later times."""
        is_forward = position is None or position.direction is Direction.NEXT
        return (self.filter.order is Order.OLDEST) is is_forward

    def span(self, stream: Stream, position: Position | None) -> Span | None:
        """Return the part of a stream beyond a position, or None if empty.

        A position is one cut through the merged order. The stream that owns its key starts after that key.
        Every other stream is read in a range of time: the cut's own moment is included if the partition key
        lies beyond the cut's.
        """
        low, high = self.low, self.high
        if position and (key := position.key):
            moment = times.parse(key.created_at)
            ascends = self.ascends(position)
            # DynamoDB refuses a start key outside the key condition. A log to read around may lie outside.
            is_within = (low is None or low <= moment) and (high is None or moment <= high)
            if stream.key == key.partition and is_within:
                return Span(low, high, key)
            is_beyond = key.partition is None or (stream.key > key.partition) is ascends
            try:
                if ascends:
                    cut = moment if is_beyond else moment + MICROSECOND
                    low = max(low, cut) if low else cut
                else:
                    cut = moment if is_beyond else moment - MICROSECOND
                    high = min(high, cut) if high else cut
            except OverflowError:
                return None  # the first or the last moment of all
        return None if low and high and low > high else Span(low, high)


@dataclass(frozen=True)
class Around:
    """The start of a page with this log in its middle."""

    log_id: str


@dataclass(frozen=True)
class PageQuery:
    """One page of a plan: its start and its maximum number of logs.

    `start` is None for the first page.
    """

    plan: QueryPlan
    start: Position | Around | None
    limit: int

    def at(self, start: Position | Around | None) -> "PageQuery":
        """Return the query for another page of the same plan."""
        return replace(self, start=start)


def key_of(plan: QueryPlan, item: LogItem, *, is_row: bool = True) -> Key:
    """Return the place of a log in the order of a plan."""
    return Key(times.to_text(item.created_at), item.id, partition_key(item, plan.index), is_row)


def make_plan(log_filter: LogFilter, shards: int = 1, *, includes_own: bool = False) -> QueryPlan:
    """Return the plan of a filter: its narrowest index, with a stream per key.

    `shards` is the largest number of sorting shards ever written with. `includes_own` is whether the reader
    may see logs of Logsite's own accounts. Raises ValueError for a PlanError.
    """
    if error := plan_error(log_filter, includes_own=includes_own):
        raise ValueError(error.text)
    return QueryPlan(
        filter=log_filter,
        streams=index_choice.streams(log_filter, shards),
        low=log_filter.start,
        # DynamoDB's BETWEEN includes both ends. Times are stored in microseconds.
        high=log_filter.end - MICROSECOND if log_filter.end else None,
        includes_own=includes_own,
        shards=shards,
    )
