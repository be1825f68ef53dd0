"""The tail of a listing: every log that arrives is read, and none outside the listing."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from logs import reader
from logs.filters import LogFilter, Order
from logs.models import LogItem
from logs.plan import MICROSECOND, PageQuery, Position, QueryPlan, make_plan
from logs.reading.budget import Budget
from logs.reading.tail import MANY, MAX_ROWS, first_position, tail_plan
from tests.dynamodb_calls import counted_calls
from tests.items import make_item, store
from tests.oracle import matching

pytestmark = pytest.mark.usefixtures("logs_table")

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(autouse=True)
def current_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin each test now. The tests were collected minutes ago."""
    monkeypatch.setitem(globals(), "NOW", datetime.now(UTC).replace(microsecond=0))


def log(number: int, seconds: float = 0, **changes: object) -> LogItem:
    """Return a log that was created `seconds` before now, or after it if negative."""
    return make_item(number, created_at=NOW - timedelta(seconds=seconds), **changes)


class Reader:
    """The listing of a filter, and the logs that its tail adds."""

    def __init__(self, log_filter: LogFilter, limit: int = 50) -> None:
        self.plan = make_plan(log_filter)
        page = reader.read(PageQuery(self.plan, None, limit), Budget()).page
        self.ids = {item.id for item in page.items}
        self.outside = page.next is not None
        self.position = first_position(self.plan, page.items, datetime.now(UTC), is_end=page.next is None)

    @property
    def tail_plan(self) -> QueryPlan:
        """Return the plan of the tail."""
        return tail_plan(self.plan, None)

    def read(self) -> int:
        """Read up to the end, and return the number of readings."""
        position: Position | None = self.position
        readings = 0
        while position:
            tail = reader.tail(self.tail_plan, position, Budget())
            times = [item.created_at for item in tail.items]
            assert times == sorted(times)
            self.ids |= {item.id for item in tail.items}
            self.position = tail.next or self.position
            position, readings = tail.more, readings + 1
        return readings


FILTERS = {
    "all": LogFilter(),
    "account": LogFilter(account_id=("7",)),
    "post-filter": LogFilter(submitter_city=("Sofia",)),
    "account and excluded type": LogFilter(account_id=("7", "8"), not_type=("view",)),
    "text": LogFilter(q="Sofia"),
}


@pytest.mark.parametrize("log_filter", FILTERS.values(), ids=FILTERS)
def test_tail_reads_every_log_that_arrives_in_disorder(log_filter: LogFilter) -> None:
    """Each step stores 40 logs, in another order than their times, as several writers do."""
    chance = random.Random(16)
    items = [
        log(
            n,
            250 - n / 2,
            account_id="789"[n % 3],
            type=("login", "view")[n % 2],
            submitter_city=("Sofia", "Bern")[n % 5 > 1],
            url=f"/{('Sofia', 'Bern')[n % 5 > 1]}",
        )
        for n in range(400)
    ]
    # A log arrives up to twenty places late: ten seconds, and fewer than are read again.
    arrivals = sorted(items, key=lambda item: item.created_at.timestamp() + chance.uniform(0, 10))
    store(arrivals[:120])
    listing = Reader(log_filter)
    first = min(
        (item.created_at for item in items if item.id in listing.ids), default=NOW - timedelta(hours=1)
    )
    for start in range(120, 400, 40):
        store(arrivals[start : start + 40])
        listing.read()
    expected = {item.id for item in matching(items, log_filter) if item.created_at >= first}
    assert listing.ids == expected


def test_tail_continues_after_many_logs_without_a_gap() -> None:
    store(log(n, 1000 - n) for n in range(60))
    listing = Reader(LogFilter())
    with counted_calls() as calls:
        assert listing.read() == 1
    assert calls == {"Query": 1}
    # As many as wait after a long pause, all at one time.
    store(log(100 + n, 500) for n in range(2 * MAX_ROWS + 50))
    assert listing.read() == 3
    late = log(1_000, 501)
    store([late, log(1_001, 499)])
    listing.read()
    assert late.id in listing.ids
    # The first page has fifty rows. Those of the second page are never read.
    assert len(listing.ids) == 50 + 2 * MAX_ROWS + 50 + 2


def test_tail_begins_after_the_rows_of_the_next_page() -> None:
    """All logs have one time, so the time of the last row says nothing about the next page."""
    store(log(n, 5) for n in range(80))
    listing = Reader(LogFilter(), limit=25)
    listing.read()
    assert len(listing.ids) == 25
    store([log(100, 4)])
    listing.read()
    assert len(listing.ids) == 26


def test_fast_clock_hides_no_log_of_others() -> None:
    store([log(1, 100), log(2, -300)])
    listing = Reader(LogFilter())
    listing.read()
    others = [log(10, 20), log(11, -1)]
    store(others)
    listing.read()
    assert {item.id for item in others} <= listing.ids


def test_own_accounts_and_other_logs_are_not_in_a_tail() -> None:
    store([log(1, 10)])
    listing = Reader(LogFilter(type=("login",), start=NOW - timedelta(seconds=30)))
    store([log(2, 5, account_id="_logsite"), log(3, 5, type="view"), log(4, 40), log(5, 4)])
    listing.read()
    assert listing.ids == {log(1).id, log(5).id}


def test_tail_of_a_quiet_filter_examines_few_logs() -> None:
    store(log(n, 3_600 - n, submitter_city="Bern") for n in range(1_500))
    store([log(5_000, 3_000, submitter_city="Sofia")])
    listing = Reader(LogFilter(submitter_city=("Sofia",)))
    store(log(2_000 + n, 20 - n / 10, submitter_city="Bern") for n in range(2 * MANY))
    listing.read()
    tail = reader.tail(listing.tail_plan, listing.position, Budget())
    assert tail.cost.examined <= MANY + 1
    assert tail.items == []
    end = tail_plan(make_plan(LogFilter(order=Order.NEWEST)), NOW)
    assert end.high == NOW - MICROSECOND
