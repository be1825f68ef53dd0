"""Several streams are read as one order, exactly, whatever the budget, and as cheaply as promised."""

import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from logs import cursor
from logs.merge import Budget
from logs.models import STATUS, LogItem, shard_status
from logs.plan import END, LogFilter, Order, Position, QueryPlan, make_plan
from logs.reader import Page, read_around, read_page
from tests.items import START, make_item, store

pytestmark = pytest.mark.usefixtures("logs_table")

AMPLE = Budget()
ACCOUNTS, TYPES = [str(number) for number in range(6)], ["login", "logout", "view"]


def ids(pages: Iterable[Page]) -> list[str]:
    return [item.id for page in pages for item in page.items]


def walk(plan: QueryPlan, limit: int, position: Position | None = None, budget: Budget = AMPLE) -> list[Page]:
    """Follow Next to the end, each position through its signed text."""
    pages = []
    for _ in range(3000):
        page = read_page(plan, position, limit, budget)
        pages.append(page)
        if page.next is None:
            return pages
        position = cursor.decode(cursor.encode(page.next, plan), plan)
    raise AssertionError("the walk does not end")


def walk_back(plan: QueryPlan, limit: int, position: Position | None, budget: Budget = AMPLE) -> list[Page]:
    """Follow Previous to the beginning; the pages in the order of the logs."""
    pages: list[Page] = []
    while position:
        assert len(pages) < 3000, "the walk does not end"
        pages.insert(0, read_page(plan, position, limit, budget))
        position = pages[0].previous
    return pages


def some_logs(number: int, seed: int, moments: int) -> list[LogItem]:
    """Return logs of a few accounts, types and users, many of them at the same moment."""
    chance = random.Random(seed)
    return [
        make_item(
            n,
            account_id=chance.choice(ACCOUNTS),
            type=chance.choice(TYPES),
            user_id=str(chance.randrange(4)),
            url=f"/{chance.choice('abc')}/{n}",
            payload=f"number {n}" if n % 3 else None,
            payload_size=10 if n % 3 else None,
            created_at=START + timedelta(seconds=chance.randrange(moments)),
        )
        for n in range(number)
    ]


def matches(item: LogItem, asked: LogFilter) -> bool:
    return (
        (not asked.account_id or item.account_id in asked.account_id)
        and (not asked.type or item.type in asked.type)
        and (asked.start is None or item.created_at >= asked.start)
        and (asked.end is None or item.created_at < asked.end)
        and asked.user_id in (None, item.user_id)
        and (asked.url is None or asked.url in item.url)
        and (asked.q is None or asked.q in item.url or asked.q in (item.payload or ""))
    )


def in_order(items: list[LogItem], asked: LogFilter) -> list[datetime]:
    return sorted((item.created_at for item in items), reverse=asked.order is Order.NEWEST)


FILTERS = [
    LogFilter(account_id=("1", "4")),
    LogFilter(type=("view", "login")),
    LogFilter(account_id=("0", "2", "5"), type=("login", "logout")),
    LogFilter(
        account_id=("1", "nobody", "3"), start=START + timedelta(seconds=3), end=START + timedelta(seconds=11)
    ),
    LogFilter(user_id="2"),
    LogFilter(account_id=("1", "4", "5"), user_id="3"),
    LogFilter(type=("login", "view"), url="/b/"),
    LogFilter(q="9"),
    LogFilter(account_id=("2", "3"), q="number 1"),
]


@pytest.mark.parametrize("asked", FILTERS, ids=str)
@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize(
    "budget", [Budget(), Budget(examined=1), Budget(payloads=1)], ids=["ample", "one item", "one payload"]
)
def test_filter_yields_each_log_once_both_ways(asked: LogFilter, order: Order, budget: Budget) -> None:
    asked = LogFilter(**{**vars(asked), "order": order})
    items = some_logs(150, seed=1, moments=15)
    store(items)
    plan = make_plan(asked)
    expected = [item for item in items if matches(item, asked)]
    assert expected

    forth = walk(plan, 7, budget=budget)

    assert sorted(ids(forth)) == sorted(item.id for item in expected)
    assert [item.created_at for page in forth for item in page.items] == in_order(expected, asked)
    assert all(page.complete or page.reached for page in forth)
    back = walk_back(plan, 7, forth[-1].previous, budget)
    assert ids(back) + [item.id for item in forth[-1].items] == ids(forth)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("order", list(Order))
def test_previous_of_each_page_is_the_page_before(seed: int, order: Order) -> None:
    store(some_logs(120, seed, moments=1 + seed * 4))
    plan = make_plan(LogFilter(account_id=tuple(ACCOUNTS[:4]), order=order))
    pages = walk(plan, 9)
    for earlier, later in pairwise(pages):
        assert later.previous
        assert ids([read_page(plan, later.previous, 9)]) == ids([earlier])


@pytest.mark.parametrize("order", list(Order))
def test_last_page_equals_the_end_of_the_walk(order: Order) -> None:
    store(some_logs(100, seed=3, moments=20))
    plan = make_plan(LogFilter(account_id=("1", "2", "3"), order=order))
    last = read_page(plan, END, 10)
    assert ids([last]) == ids(walk(plan, 10))[-10:]
    assert last.next is None


def test_concurrent_changes_neither_repeat_nor_hide_logs() -> None:
    items = some_logs(120, seed=4, moments=12)
    store(items)
    plan = make_plan(LogFilter(account_id=("1", "2", "3")))
    expected = {item.id for item in items if item.account_id in ("1", "2", "3")}
    seen: list[str] = []
    position: Position | None = None
    deleted: set[str] = set()
    for round_ in range(100):
        page = read_page(plan, position, 5)
        seen += ids([page])
        if page.next is None:
            break
        position = page.next
        if page.items and round_ % 3 == 0:
            page.items[-1].delete()  # the very log that the cursor names
            deleted.add(page.items[-1].id)
        store(
            [make_item(1000 + round_, account_id="2", created_at=START + timedelta(days=1, seconds=round_))]
        )
    assert len(seen) == len(set(seen))
    assert set(seen) == expected


def test_empty_page_over_budget_links_to_the_previous_row() -> None:
    moment = START + timedelta(seconds=5)
    store(make_item(n, user_id="rare" if n in (0, 40) else "12", created_at=moment) for n in range(60))
    plan = make_plan(LogFilter(user_id="rare", order=Order.OLDEST))
    pages = walk(plan, 10, budget=Budget(examined=1))
    assert len(ids(pages)) == 2
    for number, page in enumerate(pages):
        if page.previous and not page.items:
            before = walk_back(plan, 10, page.previous, Budget(examined=1))
            assert ids(before) == ids(pages[:number])


@pytest.mark.parametrize(("streams", "limit"), [(2, 50), (7, 50), (12, 50), (7, 200), (50, 200)])
def test_even_streams_examine_at_most_twice_the_rows(streams: int, limit: int) -> None:
    chance = random.Random(7)
    store(make_item(n, account_id=str(chance.randrange(streams))) for n in range(6 * limit))
    plan = make_plan(LogFilter(account_id=tuple(str(n) for n in range(streams))))
    page = read_page(plan, None, limit)
    second = read_page(plan, page.next, limit)
    for read in (page, second):
        assert len(read.items) == limit
        assert read.cost.examined <= 2 * limit
        assert read.cost.queries <= streams + 10


def test_one_busy_stream_takes_few_queries() -> None:
    store(make_item(n, account_id="busy") for n in range(400))
    plan = make_plan(LogFilter(account_id=("busy", *(f"quiet{n}" for n in range(30)))))
    page = read_page(plan, None, 200)
    assert len(page.items) == 200
    assert page.cost.queries <= 31 + 8


def test_selective_filter_takes_few_queries() -> None:
    store(make_item(n, user_id="rare" if n == 3 else "12") for n in range(5000))
    page = read_page(make_plan(LogFilter(user_id="rare")), None, 50)
    assert len(page.items) == 1
    assert page.cost.examined == 5000
    assert page.cost.queries <= 10


def test_too_many_streams_are_rejected_with_their_number() -> None:
    accounts = tuple(str(number) for number in range(17))
    with pytest.raises(ValueError, match="17 accounts and 3 types make 51 combinations; at most 50"):
        make_plan(LogFilter(account_id=accounts, type=tuple(TYPES)))


def test_all_shard_counts_ever_written_are_read() -> None:
    for shards, numbers in ((1, range(40)), (4, range(40, 80)), (2, range(80, 120))):
        store(make_item(n, status=shard_status(make_item(n).id, shards)) for n in numbers)
    plan = make_plan(LogFilter(), shards=4)
    assert len(plan.streams) == 5
    assert ids(walk(plan, 9)) == [make_item(n).id for n in range(119, -1, -1)]


def test_shard_is_stable_and_all_shards_are_used() -> None:
    assert shard_status("0" * 32, 1) == STATUS
    assert shard_status("0123456789abcdef0123456789abcdef", 8) == "OK#6"
    assert {shard_status(make_item(n).id, 4) for n in range(100)} == {f"OK#{n}" for n in range(4)}


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize(
    "asked", [LogFilter(), LogFilter(account_id=("1", "2")), LogFilter(user_id="1")], ids=str
)
def test_page_around_a_log_has_it_in_the_middle(asked: LogFilter, order: Order) -> None:
    asked = LogFilter(**{**vars(asked), "order": order})
    items = some_logs(150, seed=9, moments=20)
    store(items)
    plan = make_plan(asked)
    everything = ids(walk(plan, 50))
    middle = everything[len(everything) // 2]
    item = LogItem.get(middle)

    page = read_around(plan, item, 11)

    place = everything.index(middle)
    assert ids([page]) == everything[place - 5 : place + 6]
    assert page.previous
    assert page.next
    assert ids(walk_back(plan, 11, page.previous)) == everything[: place - 5]
    assert ids(walk(plan, 11, page.next)) == everything[place + 6 :]


def test_page_around_an_unmatched_log_includes_it() -> None:
    store(make_item(n, account_id=("1", "2")[n % 2]) for n in range(40))
    plan = make_plan(LogFilter(account_id=("1",)))
    page = read_around(plan, LogItem.get(make_item(21).id), 5)
    assert ids([page]) == [make_item(n).id for n in (24, 22, 21, 20, 18)]


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize(("around", "expected"), [(5, [5, 10, 11, 12]), (25, [17, 18, 19, 25]), (15, None)])
def test_page_around_a_log_outside_the_range_includes_it(
    order: Order, around: int, expected: list[int] | None
) -> None:
    store(make_item(n) for n in range(30))
    asked = LogFilter(start=START + timedelta(seconds=10), end=START + timedelta(seconds=20), order=order)
    page = read_around(make_plan(asked), LogItem.get(make_item(around).id), 7)
    numbers = expected or list(range(12, 19))
    assert ids([page]) == [make_item(n).id for n in (numbers if order is Order.OLDEST else numbers[::-1])]
