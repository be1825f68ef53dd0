"""From a filter to the queries that answer it. Pure: no I/O and no Django."""

import hashlib
import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from pynamodb.expressions.condition import Condition

from logs import times
from logs.filters import FILTERS, KEYS, LogFilter, Order, accent_forms
from logs.models import (
    OWN_PREFIX,
    AccountIndex,
    AccountTypeIndex,
    LogItem,
    SortingIndex,
    TypeIndex,
    account_type_key,
    is_own_account,
    partition_key,
    shard_statuses,
)

MAX_STREAMS = 50
# The writer stores no longer account or type.
MAX_KEY_BYTES = 500
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Stream:
    """One partition of one index: the logs under one key, in time order."""

    index: str
    key: str

    @property
    def tag(self) -> str:
        """Return 8 hex digits that identify this stream within its plan."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:8]


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

    The streams are merged into one order: by time, then by partition key, then as the engine returns them.
    `includes_own` is whether logs of Logsite's own accounts are read.
    """

    filter: LogFilter
    streams: tuple[Stream, ...]
    low: datetime | None
    high: datetime | None
    includes_own: bool = False

    @property
    def index(self) -> str:
        """Return the name of the index that is read."""
        return self.streams[0].index

    @property
    def condition(self) -> Condition | None:
        """Return the filter expression of the queries, or None."""
        condition = self.filter.condition
        # With accounts in the filter, no log of another account is read. DynamoDB refuses a filter expression
        # on a key, which the account is in AccountIndex.
        if self.includes_own or self.filter.account_id:
            return condition
        is_visible: Condition = ~LogItem.account_id.startswith(OWN_PREFIX)
        return is_visible if condition is None else condition & is_visible

    def hides(self, item: LogItem) -> bool:
        """Return whether a log must not be shown: its account is Logsite's own."""
        return not self.includes_own and is_own_account(item.account_id)

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
        streams=_streams(log_filter, shards),
        low=log_filter.start,
        # DynamoDB's BETWEEN includes both ends. Times are stored in microseconds.
        high=log_filter.end - MICROSECOND if log_filter.end else None,
        includes_own=includes_own,
    )


@dataclass(frozen=True)
class PlanError:
    """Why a filter cannot be planned, and the parameters at fault."""

    parameters: tuple[str, ...]
    text: str


def plan_error(log_filter: LogFilter, *, includes_own: bool = False) -> PlanError | None:
    """Return why a filter cannot be planned, or None.

    Without `includes_own`, it must not name an account of Logsite's own.
    The range must end after it begins. Its values make at most MAX_STREAMS streams: each is a query. A value
    with accents counts twice if its composed and decomposed forms differ. Sorting shards are not counted,
    because they have a limit of their own (`models.MAX_SHARDS`).
    """
    if log_filter.start and log_filter.end and log_filter.start >= log_filter.end:
        return PlanError(("to",), f"the time range ends at {log_filter.end} but begins at {log_filter.start}")
    if not includes_own and any(map(is_own_account, log_filter.account_id)):
        text = f"an account that begins with {OWN_PREFIX} is Logsite's own: only superusers read its logs"
        return PlanError(("account_id",), text)
    values = {name: len(dict.fromkeys(getattr(log_filter, name))) for name in KEYS}
    counts = {name: number for name, number in values.items() if number}
    forms = [len(_forms(getattr(log_filter, name))) for name in counts]
    if (streams := math.prod(forms)) > MAX_STREAMS:
        accents = " with composed and decomposed accents" if streams > math.prod(counts.values()) else ""
        words = " and ".join(
            f"{number} {FILTERS[name].label.lower()}{'s' if number > 1 else ''}"
            for name, number in counts.items()
        )
        return PlanError(
            tuple(name for name, number in zip(counts, forms, strict=True) if number > 1),
            f"{words}{accents} make {streams} combinations; at most {MAX_STREAMS} can be read at once",
        )
    return None


def _forms(values: tuple[str, ...]) -> list[str]:
    """Return values of a key, each in its forms of accents: each is a partition of its own."""
    forms = [form for value in values for form in accent_forms(value)]
    return [form for form in dict.fromkeys(forms) if form in values or len(form.encode()) <= MAX_KEY_BYTES]


def _streams(log_filter: LogFilter, shards: int) -> tuple[Stream, ...]:
    accounts, types = _forms(log_filter.account_id), _forms(log_filter.type)
    if accounts and types:
        keys = [account_type_key(account, type_) for account in accounts for type_ in types]
        return tuple(Stream(AccountTypeIndex.Meta.index_name, key) for key in keys)
    if accounts:
        return tuple(Stream(AccountIndex.Meta.index_name, account) for account in accounts)
    if types:
        return tuple(Stream(TypeIndex.Meta.index_name, type_) for type_ in types)
    return tuple(Stream(SortingIndex.Meta.index_name, status) for status in shard_statuses(shards))
