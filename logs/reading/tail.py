"""The tail of a listing: its logs from a position on, the oldest first.

Logs are not stored in the order of their times, so a tail reads the last logs before its end again.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from logs import times
from logs.filters import LogFilter, Order
from logs.models import LogItem
from logs.plan import MICROSECOND, Direction, Key, Position, QueryPlan, begin_at
from logs.reading.budget import Cost
from logs.reading.log_match import LogMatch
from logs.reading.page import PageRead
from logs.reading.search import TextSearch

# The logs that are read again are those of the last minute. If these are more than MANY, they are fewer, but
# those of the last five seconds at least.
OVERLAP, MIN_OVERLAP = timedelta(minutes=1), timedelta(seconds=5)
MANY = 100
# Logs that one reading examines. With a post-filter few of them are rows.
MAX_ROWS, MAX_FILTERED = 200, 1_000
# If a post-filter drops logs, the time of the newest log that was examined is unknown at first.
FIRST_OVERLAP = timedelta(minutes=5)


@dataclass(frozen=True)
class Tail:
    """The logs of one reading, the oldest first. Some may have been read before.

    `more` is the position of logs that can be read at once, or None at the end. `next` is the position of the
    next reading after the end, or None if it stays the same.
    """

    items: list[LogItem]
    more: Position | None
    next: Position | None
    cost: Cost


def tail_plan(plan: QueryPlan, end: datetime | None) -> QueryPlan:
    """Return the plan of the tail of a listing, up to an end. A cursor of it is bound to no range."""
    log_filter = replace(plan.filter, order=Order.OLDEST, start=None, end=None)
    return replace(plan, filter=log_filter, low=None, high=end - MICROSECOND if end else None)


def first_position(plan: QueryPlan, items: Sequence[LogItem], now: datetime, *, is_end: bool) -> Position:
    """Return the position of the tail after the first page of a listing.

    `items` are those of the page, the newest first. `is_end` is whether it has the oldest log.
    """
    start = now - FIRST_OVERLAP
    if items:
        recent = _overlap_start(items[::-1], now)
        start = recent if plan.needs_no_post_filter else max(start, recent)
        if not is_end:
            # Logs at the time of the last row may be on the next page.
            start = max(start, items[-1].created_at + MICROSECOND)
    return begin_at(max(start, plan.filter.start) if plan.filter.start else start)


def read_tail(read: PageRead, plan: QueryPlan, position: Position, now: datetime) -> Tail:
    """Return the logs of a tail from a position on.

    `read` has the plan of `examined_plan`. Costs one Query of each stream, and one BatchGetItem per 100 logs
    whose documents are searched.
    """
    page = read.page(position, MAX_ROWS if plan.needs_no_post_filter else MAX_FILTERED)
    match = LogMatch(plan)
    items = [item for item in page.items if match.is_match(item)]
    following = _next_position(page.items, position, now)
    if plan.filter.needs_documents:
        search = TextSearch(read, _Candidates(items), match)
        items = list(search)
        if search.cut:
            return Tail(items, Position(Direction.NEXT, search.cut), None, read.cost)
    return Tail(items, page.next, following, read.cost)


def examined_plan(plan: QueryPlan) -> QueryPlan:
    """Return the plan of all logs of an index's keys. Its reading knows the newest log that it examined."""
    keys: dict[str, Any] = dict(plan.keys)
    return replace(plan, filter=LogFilter(order=plan.filter.order, **keys), includes_own=True)


class _Candidates:
    """Logs that a text search examines."""

    cut: Key | None = None

    def __init__(self, items: Sequence[LogItem]) -> None:
        self._items = deque(items)

    def __iter__(self) -> Iterator[LogItem]:
        while self._items:
            yield self._items.popleft()

    @property
    def is_exhausted(self) -> bool:
        """Return whether every log was yielded."""
        return not self._items


def _next_position(items: Sequence[LogItem], position: Position, now: datetime) -> Position | None:
    """Return the position of the next reading, or None if it would lie before this one."""
    if not items or position.key is None:
        return None
    start = _overlap_start(items, now)
    return begin_at(start) if start > times.parse(position.key.created_at) else None


def _overlap_start(items: Sequence[LogItem], now: datetime) -> datetime:
    """Return the time from which logs are read again. `items` are the oldest first.

    A sender's clock may be fast. The logs of all others are still before its logs.
    """
    number = bisect_right(items, now, key=lambda item: item.created_at)
    newest = items[number - 1].created_at if number else now
    if newest.year == 1:
        return newest
    if number <= MANY:
        return newest - OVERLAP
    return max(newest - OVERLAP, min(items[number - MANY].created_at, newest - MIN_OVERLAP))
