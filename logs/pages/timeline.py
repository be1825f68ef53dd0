"""Short timelines: the logs just before and after one log."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from html import escape
from types import MappingProxyType

from django.utils.safestring import SafeString

from logs import times
from logs.models import LogItem
from logs.pages.display import NO_ONE, display_time, shorten
from logs.pages.durations import display_duration
from logs.plan import Direction, Position, QueryPlan, key_of
from logs.reader import Page, read_page
from logs.reading.budget import Budget, Cost
from logs.storage.errors import StoreUnavailable

# The logs of a timeline before this one, and after it.
SIDE = 2
# An object or a user may have logs in other accounts, which are read and dropped.
BUDGET = Budget(examined=50, seconds=3.0)
# The timelines do not wait longer for their logs.
MAX_SECONDS = 4.0
# A shorter time between two logs is not mentioned.
MIN_GAP = timedelta(minutes=5)
MAX_CHARACTERS = 60
DIRECTIONS = (Direction.PREVIOUS, Direction.NEXT)

# Timelines of one log are read side by side. The reads of several streams use the reader's own threads.
_POOL = ThreadPoolExecutor(8, thread_name_prefix="logs-timelines")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """One log of a timeline. `gap` is the time between it and the entry above."""

    href: str | None
    iso: str
    time: str
    type: str
    sub_type: str
    user: str
    summary: str
    gap: str


@dataclass(frozen=True)
class Neighbours:
    """The logs around one log, itself included, newest first.

    `cost` is that of reading them. They are incomplete if the budget was spent before.
    """

    items: list[LogItem]
    is_complete: bool
    cost: Cost


@dataclass(frozen=True)
class Timeline:
    """The entries of a timeline, newest first. Without entries the read failed or took too long."""

    entries: list[Entry]
    is_complete: bool

    @property
    def entry_list(self) -> SafeString:
        """Return the entries as HTML. A template takes several times as long."""
        rows = "".join(map(_html, self.entries))
        return SafeString(f'<ol class="logs-timeline">\n{rows}</ol>')


def read_neighbours(plans: Sequence[QueryPlan], item: LogItem) -> list[Neighbours | None]:
    """Return the logs around one log by each plan.

    A read that fails or takes too long is None. Costs two Querys of three items for each plan with one
    stream, or of up to 50 items if its index does not answer the filter alone.
    """
    deadline = datetime.now(UTC) + timedelta(seconds=MAX_SECONDS)
    sides = [[_submit(plan, item, direction) for direction in DIRECTIONS] for plan in plans]
    return [_collect(futures, item, deadline) for futures in sides]


def _submit(plan: QueryPlan, item: LogItem, direction: Direction) -> Future[Page]:
    position = Position(direction, key_of(plan, item))
    read = partial(read_page, plan, position, SIDE, BUDGET, inline=True)
    return _POOL.submit(copy_context().run, read)


def _collect(futures: Sequence[Future[Page]], item: LogItem, deadline: datetime) -> Neighbours | None:
    try:
        before, after = (
            future.result(max(0, (deadline - datetime.now(UTC)).total_seconds())) for future in futures
        )
    except (StoreUnavailable, TimeoutError) as error:
        logger.warning("A timeline was not read: %s", str(error) or "it took too long")
        for future in futures:
            future.cancel()
        return None
    cost = Cost()
    cost += before.cost
    cost += after.cost
    return Neighbours([*before.items, item, *after.items], before.complete and after.complete, cost)


def make_timeline(
    neighbours: Neighbours | None,
    item: LogItem,
    log_href: Callable[[str], str],
    zone: tzinfo = UTC,
    users: Mapping[str, str] = MappingProxyType({}),
) -> Timeline:
    """Return a timeline. `log_href` returns the address of a log. `users` are labels by id."""
    if neighbours is None:
        return Timeline([], is_complete=False)
    entries = list(_entries(neighbours.items, item, log_href, zone, users))
    return Timeline(entries, neighbours.is_complete)


def _entries(
    items: Sequence[LogItem],
    this: LogItem,
    log_href: Callable[[str], str],
    zone: tzinfo,
    users: Mapping[str, str],
) -> Iterator[Entry]:
    above: datetime | None = None
    for item in items:
        gap = above - item.created_at if above else timedelta()
        above = item.created_at
        yield Entry(
            href=None if item.id == this.id else log_href(item.id),
            iso=times.to_text(item.created_at),
            time=_time(item.created_at, this.created_at, zone),
            type=shorten(item.type, MAX_CHARACTERS),
            sub_type=shorten(item.sub_type, MAX_CHARACTERS),
            user="" if item.user_id == NO_ONE else shorten(_user(item, users), MAX_CHARACTERS),
            summary=shorten(item.summary or "", MAX_CHARACTERS),
            gap=display_duration(gap) if gap >= MIN_GAP else "",
        )


def _html(entry: Entry) -> str:
    type_ = f"<bdi>{escape(entry.type)}</bdi>"
    if entry.href:
        item, type_, here = "<li>", f'<a href="{escape(entry.href)}">{type_}</a>', ""
    else:
        item, type_ = '<li class="logs-this" aria-current="true">', f"<b>{type_}</b>"
        here = ' <span class="logs-here">this log</span>'
    parts = ((" ", entry.sub_type), (" by ", entry.user), (" · ", entry.summary))
    texts = "".join(f"{before}<bdi>{escape(text)}</bdi>" for before, text in parts if text)
    gap = f'  <li class="logs-gap">{escape(entry.gap)} without logs</li>\n' if entry.gap else ""
    time = f'<time datetime="{entry.iso}">{escape(entry.time)}</time>'
    return f"{gap}  {item}{time} {type_}{texts}{here}</li>\n"


def _user(item: LogItem, users: Mapping[str, str]) -> str:
    return item.user_name or users.get(item.user_id) or item.user_id


def _time(moment: datetime, this: datetime, zone: tzinfo) -> str:
    """Return the clock, and the date if it is not the day of this log."""
    time = display_time(moment, zone)
    return time.clock if time.date == display_time(this, zone).date else f"{time.date} {time.clock}"
