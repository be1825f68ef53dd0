"""Read logs: a page, one log by its id, and the choices."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from logs import request_ids
from logs.filters import LogFilter
from logs.models import NO_ONE, LogItem, is_own_account
from logs.plan import Around, Direction, PageQuery, Position, QueryPlan, key_of, make_plan
from logs.plan_error import plan_error
from logs.reading import path
from logs.reading.budget import Budget, Cost
from logs.reading.page import Page as Page
from logs.reading.page import PageRead
from logs.reading.pending_page import PendingPage as PendingPage
from logs.reading.tail import Tail, examined_plan, read_tail
from logs.reading.whole_page import Add, WholePage
from logs.storage import choices as stored_choices
from logs.storage import deadline, items
from logs.storage.errors import store_unavailable
from logs.storage.rejections import RejectedItem

# How long the rows are read of which whole logs are fetched afterwards.
MAX_SECONDS_OF_ROWS = deadline.LAST_START_SECONDS - 1.5


class LogNotFound(Exception):
    """The log does not exist, or no longer exists."""


@dataclass(frozen=True)
class PageResult:
    """A page and the query that it answers."""

    query: PageQuery
    page: Page

    @property
    def plan(self) -> QueryPlan:
        """Return the plan of the query."""
        return self.query.plan


def start(query: PageQuery, budget: Budget) -> PageResult | PendingPage:
    """Start to read the page that answers a query.

    It is read at once if that may change the query: if the plan has no path yet, or the page is backwards or
    around a log. Costs and raises as `read`. A pending page raises StoreUnavailable where it is used.
    """
    position = query.start
    is_backwards = isinstance(position, Position) and position.direction is Direction.PREVIOUS
    if isinstance(position, Around) or is_backwards or not query.plan.needs_no_post_filter:
        return read(query, budget)
    return PendingPage(replace(query, plan=query.plan.by_index()), position, budget)


def read(query: PageQuery, budget: Budget) -> PageResult:
    """Return the page that answers a query.

    Costs as `read_page` or `read_around`, and one GetItem for a page around a log. Raises LogNotFound for a
    page around a log that does not exist, and StoreUnavailable.
    """
    query, path_cost = _with_path(query, budget)
    result = _read(query, budget)
    page_cost = result.page.cost
    page_cost += path_cost
    return result


def read_whole(query: PageQuery, budget: Budget, rows_budget: Budget, add: Add) -> PageResult:
    """Return the page that answers a query, with whole logs that `add` took.

    The page ends before the first log that `add` refuses, and where the payloads of `rows_budget` are spent.
    Costs as `read`, and one BatchGetItem per 100 rows. Raises as `read`.
    """
    # The rest of the time until the deadline is for the rows.
    result = read(query, replace(budget, seconds=min(budget.seconds, MAX_SECONDS_OF_ROWS)))
    page_read = PageRead(result.plan, rows_budget)
    with store_unavailable():
        page = WholePage(page_read, result.query, result.page).fetch(add)
    page_read.cost.seconds = page_read.seconds
    page_cost = page.cost
    page_cost += page_read.cost
    return PageResult(result.query, page)


def _with_path(query: PageQuery, budget: Budget) -> tuple[PageQuery, Cost]:
    """Return a query whose plan has its path, and the cost of the choice."""
    if query.plan.uses_digests is not None:
        return query, Cost()
    page_read = PageRead(query.plan, budget)
    with store_unavailable():
        plan = path.choose(page_read)
    return replace(query, plan=plan), page_read.cost


def _read(query: PageQuery, budget: Budget) -> PageResult:
    if isinstance(query.start, Around):
        item, cost = get_with_cost(query.start.log_id, includes_own=query.plan.includes_own)
        if item is None:
            raise LogNotFound
        page = read_around(query.plan, item, query.limit, budget)
        # The page counts this log, wherever it was read.
        page_cost = page.cost
        page_cost += replace(cost, examined=0)
        return PageResult(query, page)
    page = read_page(query.plan, query.start, query.limit, budget)
    if page.complete and not page.items and query.start and query.start.direction is Direction.PREVIOUS:
        # The logs before this position were deleted, so the order begins here.
        return _read(query.at(None), budget)
    return PageResult(query, page)


def read_page(
    plan: QueryPlan,
    position: Position | None,
    limit: int,
    budget: Budget = Budget(),  # noqa: B008  frozen
    *,
    inline: bool = False,
) -> Page:
    """Return a page of at most `limit` logs. Without a position it is the first page.

    Costs one Query of `limit` + 1 items for one stream, and less than twice the page for several streams of
    even size. `inline` is as for PageRead. Raises StoreUnavailable.
    """
    with store_unavailable():
        return PageRead(plan, budget, inline=inline).page(position, limit)


def read_around(
    plan: QueryPlan,
    item: LogItem,
    limit: int,
    budget: Budget = Budget(),  # noqa: B008  frozen
) -> Page:
    """Return the page with this log in its middle. The log need not match the filter.

    Costs as two pages of half the size. Raises StoreUnavailable.
    """
    with store_unavailable():
        return PageRead(plan, budget).around(item, limit)


def tail(plan: QueryPlan, position: Position, budget: Budget) -> Tail:
    """Return the logs of a plan of `tail_plan` from a position on. Costs as `read_tail`.

    Raises StoreUnavailable.
    """
    read = PageRead(examined_plan(plan), budget)
    with store_unavailable():
        return read_tail(read, plan, position, datetime.now(UTC))


class KeyLookup:
    """Looks up whether a log has a value of a key. `cost` is the cost of all lookups.

    A lookup is one Query of two items, and one per form of a value with accents. No one is no key: it costs
    nothing and counts as present. Without `includes_own`, logs of Logsite's own accounts do not count. Raises
    StoreUnavailable.
    """

    def __init__(self, *, includes_own: bool = False) -> None:
        self.cost = Cost()
        self._includes_own = includes_own

    def __call__(self, name: str, value: str) -> bool:
        if name == "user_id" and value == NO_ONE:
            return True
        filters: dict[str, Any] = {name: (value,)}
        log_filter = LogFilter(**filters)
        if plan_error(log_filter, includes_own=self._includes_own):
            return False
        page = read_page(make_plan(log_filter, includes_own=self._includes_own), None, 1)
        self.cost += page.cost
        return bool(page.items)


def after(plan: QueryPlan, item: LogItem) -> Position:
    """Return the position after a log of a plan."""
    return Position(Direction.NEXT, key_of(plan, item))


def get(log_id: str, *, includes_own: bool = False) -> LogItem | None:
    """Return the log with this id, or None if it is missing or expired. Any spelling of a UUID is accepted.

    A log of an account of Logsite's own is missing too, unless `includes_own` is set. Costs one GetItem, and
    one BatchGetItem for a log that is too large for one item. Raises StoreUnavailable.
    """
    item, _ = get_with_cost(log_id, includes_own=includes_own)
    return item


def get_with_cost(log_id: str, *, includes_own: bool = False) -> tuple[LogItem | None, Cost]:
    """Return a log as `get`, and the measured cost. An id that was looked up is one item examined."""
    start = deadline.now()
    item, usage = items.get_with_usage(log_id)
    seconds = deadline.now() - start if usage.requests else 0.0
    cost = Cost(examined=min(1, usage.requests), seconds=seconds)
    cost.add_usage(usage)
    if item and not includes_own and is_own_account(item.account_id):
        return None, cost
    return item, cost


@dataclass(frozen=True)
class IdSearch:
    """The result of a search for an id.

    It is the log with the id, and why a message with it was rejected. If there is no such log, the logs of
    the filter are those with this request ID or trace ID.
    """

    log_id: str
    item: LogItem | None
    rejection: RejectedItem | None
    cost: Cost


def search_id(log_filter: LogFilter, *, includes_own: bool = False) -> IdSearch | None:
    """Search for the log whose id is in `q`. Without an id, return None.

    Costs one BatchGetItem of two items, and another one for a log that is too large for one item. Raises
    StoreUnavailable.
    """
    if (log_id := request_ids.log_id(log_filter.q)) is None:
        return None
    start = deadline.now()
    item, rejection, usage = items.get_with_rejection(log_id)
    cost = Cost(examined=1, seconds=deadline.now() - start)
    cost.add_usage(usage)
    if item and not includes_own and is_own_account(item.account_id):
        item = None
    return IdSearch(log_id, item, rejection, cost)


@dataclass(frozen=True)
class Choices:
    """The types, subtypes, countries, platforms and browsers seen in logs, in alphabetical order.

    They are complete unless values were evicted, because too many were seen, or deleted. Values over 100
    bytes are never among them.
    """

    types: list[str]
    sub_types: list[str]
    types_complete: bool = True
    sub_types_complete: bool = True
    countries: list[str] = field(default_factory=list)
    platforms: list[str] = field(default_factory=list)
    browsers: list[str] = field(default_factory=list)
    countries_complete: bool = True
    platforms_complete: bool = True
    browsers_complete: bool = True

    def values(self, attribute: str) -> list[str]:
        """Return the values of an attribute of CHOICES."""
        values: list[str] = getattr(self, CHOICES[attribute])
        return values

    def is_complete(self, attribute: str) -> bool:
        """Return whether every recordable value of an attribute of CHOICES is among its values."""
        return bool(getattr(self, f"{CHOICES[attribute]}_complete"))


# The attributes of a log with choices, and the field of their values.
CHOICES = {attribute: kind for kind, attribute in stored_choices.KINDS.items()}
# Senders spell the values of these in several ways.
CASELESS = frozenset(stored_choices.KINDS[kind] for kind in stored_choices.VISITOR_KINDS)


def choices() -> Choices:
    """Return the values seen in logs. Costs one GetItem. Raises StoreUnavailable."""
    return ChoicesLookup()()


class ChoicesLookup:
    """Reads the choices once, when they are first used. `cost` is the cost of that.

    It is one GetItem of at most 7.5 read units. Raises StoreUnavailable.
    """

    def __init__(self) -> None:
        self.cost = Cost()
        self._choices: Choices | None = None

    def __call__(self) -> Choices:
        if self._choices is None:
            self._choices = self._read()
        return self._choices

    def spellings(self, attribute: str, value: str) -> list[str]:
        """Return the values to filter by instead of a value of the page's form.

        A country, platform or browser in another letter case is replaced by the choices, as
        `logs.storage.choices.spellings` describes. Other attributes have one spelling, and cost nothing.
        """
        if attribute not in CASELESS or not value:
            return [value]
        choices = self()
        return stored_choices.spellings(value, choices.values(attribute), choices.is_complete(attribute))

    def _read(self) -> Choices:
        start = deadline.now()
        with store_unavailable():
            item, usage = stored_choices.read_with_usage()
        self.cost.add_usage(usage)
        self.cost.seconds += deadline.now() - start
        fields: dict[str, Any] = {}
        for kind in stored_choices.KINDS:
            fields[kind] = sorted(getattr(item, kind), key=str.lower)
            fields[f"{kind}_complete"] = stored_choices.is_complete(item, kind)
        return Choices(**fields)
