"""The merge of several streams is exact under any budget and takes few queries."""

import random
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from logs.filters import LogFilter, Order
from logs.models import STATUS, LogItem, shard_status
from logs.plan import END, Position, make_plan
from logs.reader import read_around, read_page
from logs.reading.budget import Budget
from tests.items import START, make_item, store
from tests.oracle import assert_exact, matching
from tests.walks import all_ids, ids, walk, walk_back

pytestmark = pytest.mark.usefixtures("logs_table")

ACCOUNTS, TYPES = [str(number) for number in range(6)], ["login", "logout", "view"]


def some_logs(number: int, seed: int, moments: int) -> list[LogItem]:
    """Return logs of a few accounts, types and users. Many share one time."""
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


FILTERS = [
    LogFilter(account_id=("1", "4")),
    LogFilter(type=("view", "login")),
    LogFilter(account_id=("0", "2", "5"), type=("login", "logout")),
    LogFilter(
        account_id=("1", "nobody", "3"), start=START + timedelta(seconds=3), end=START + timedelta(seconds=11)
    ),
    LogFilter(user_id=("2", "3")),
    LogFilter(account_id=("1", "4", "5"), user_id=("0",)),
    LogFilter(type=("login", "view"), url="/b/"),
    LogFilter(q="9"),
    LogFilter(account_id=("2", "3"), q="number 1"),
]
FILTER_IDS = [
    "two_accounts",
    "two_types",
    "accounts_and_types",
    "accounts_and_range",
    "user",
    "accounts_and_user",
    "types_and_url",
    "text",
    "accounts_and_text",
]


@pytest.mark.parametrize("log_filter", FILTERS, ids=FILTER_IDS)
@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize(
    "budget", [Budget(), Budget(examined=1), Budget(payloads=1)], ids=["ample", "one_item", "one_payload"]
)
def test_filter_yields_each_log_once_both_ways(log_filter: LogFilter, order: Order, budget: Budget) -> None:
    log_filter = replace(log_filter, order=order)
    items = some_logs(70, seed=1, moments=12)
    store(items)
    plan = make_plan(log_filter)
    expected = matching(items, log_filter)
    assert expected

    forth = walk(plan, 7, budget=budget)

    assert_exact(forth, expected, order)
    assert all(page.complete or page.reached for page in forth)
    back = walk_back(plan, 7, forth[-1].previous, budget)
    assert all_ids(back) + ids(forth[-1]) == all_ids(forth)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("order", list(Order))
def test_previous_of_each_page_is_the_page_before(seed: int, order: Order) -> None:
    store(some_logs(120, seed, moments=1 + seed * 4))
    plan = make_plan(LogFilter(account_id=tuple(ACCOUNTS[:4]), order=order))
    pages = walk(plan, 9)
    for earlier, later in pairwise(pages):
        assert later.previous
        assert ids(read_page(plan, later.previous, 9)) == ids(earlier)


@pytest.mark.parametrize("order", list(Order))
def test_last_page_equals_the_end_of_the_walk(order: Order) -> None:
    store(some_logs(100, seed=3, moments=20))
    plan = make_plan(LogFilter(account_id=("1", "2", "3"), order=order))
    last = read_page(plan, END, 10)
    assert ids(last) == all_ids(walk(plan, 10))[-10:]
    assert last.next is None


def test_concurrent_changes_neither_repeat_nor_hide_logs() -> None:
    items = some_logs(120, seed=4, moments=12)
    store(items)
    plan = make_plan(LogFilter(account_id=("1", "2", "3")))
    expected = {item.id for item in items if item.account_id in ("1", "2", "3")}
    seen: list[str] = []
    position: Position | None = None
    for round_ in range(100):
        page = read_page(plan, position, 5)
        seen += ids(page)
        if page.next is None:
            break
        position = page.next
        if page.items and round_ % 3 == 0:
            page.items[-1].delete()  # The cursor names this log.
        store(
            [make_item(1000 + round_, account_id="2", created_at=START + timedelta(days=1, seconds=round_))]
        )
    assert len(seen) == len(set(seen))
    assert set(seen) == expected


def test_empty_page_over_budget_links_to_the_previous_row() -> None:
    moment = START + timedelta(seconds=5)
    store(make_item(n, sub_type="rare" if n in (0, 25) else "password", created_at=moment) for n in range(40))
    plan = make_plan(LogFilter(sub_type=("rare",), order=Order.OLDEST))
    pages = walk(plan, 10, budget=Budget(examined=1))
    assert len(all_ids(pages)) == 2
    for number, page in enumerate(pages):
        if page.previous and not page.items:
            before = walk_back(plan, 10, page.previous, Budget(examined=1))
            assert all_ids(before) == all_ids(pages[:number])


@pytest.mark.parametrize(("streams", "limit"), [(2, 50), (7, 50), (12, 50), (7, 200), (50, 200)])
def test_even_streams_examine_at_most_twice_the_rows(streams: int, limit: int) -> None:
    chance = random.Random(7)
    store(make_item(n, account_id=str(chance.randrange(streams))) for n in range(6 * limit))
    plan = make_plan(LogFilter(account_id=tuple(str(n) for n in range(streams))))
    page = read_page(plan, None, limit)
    second = read_page(plan, page.next, limit)
    for result in (page, second):
        assert len(result.items) == limit
        assert result.cost.examined <= 2 * limit
        assert result.cost.queries <= streams + 10


def test_one_busy_stream_takes_few_queries() -> None:
    store(make_item(n, account_id="busy") for n in range(400))
    plan = make_plan(LogFilter(account_id=("busy", *(f"quiet{n}" for n in range(30)))))
    page = read_page(plan, None, 200)
    assert len(page.items) == 200
    assert page.cost.queries <= 31 + 8


def test_selective_filter_takes_few_queries() -> None:
    store(make_item(n, sub_type="rare" if n == 3 else "password") for n in range(5000))
    page = read_page(make_plan(LogFilter(sub_type=("rare",))), None, 50)
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
    assert all_ids(walk(plan, 9)) == [make_item(n).id for n in range(119, -1, -1)]


def test_shard_is_stable_and_all_shards_are_used() -> None:
    assert shard_status("0" * 32, 1) == STATUS
    assert shard_status("0123456789abcdef0123456789abcdef", 8) == "OK#6"
    assert {shard_status(make_item(n).id, 4) for n in range(100)} == {f"OK#{n}" for n in range(4)}


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize(
    "log_filter",
    [LogFilter(), LogFilter(account_id=("1", "2")), LogFilter(user_id=("1",))],
    ids=["all", "two_accounts", "user"],
)
def test_page_around_a_log_has_it_in_the_middle(log_filter: LogFilter, order: Order) -> None:
    log_filter = replace(log_filter, order=order)
    items = some_logs(150, seed=9, moments=20)
    store(items)
    plan = make_plan(log_filter)
    everything = all_ids(walk(plan, 50))
    middle = everything[len(everything) // 2]
    item = LogItem.get(middle)

    page = read_around(plan, item, 11)

    place = everything.index(middle)
    assert ids(page) == everything[place - 5 : place + 6]
    assert page.previous
    assert page.next
    assert all_ids(walk_back(plan, 11, page.previous)) == everything[: place - 5]
    assert all_ids(walk(plan, 11, page.next)) == everything[place + 6 :]


def test_page_around_an_unmatched_log_includes_it() -> None:
    store(make_item(n, account_id=("1", "2")[n % 2]) for n in range(40))
    plan = make_plan(LogFilter(account_id=("1",)))
    page = read_around(plan, LogItem.get(make_item(21).id), 5)
    assert ids(page) == [make_item(n).id for n in (24, 22, 21, 20, 18)]


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize(("around", "expected"), [(5, [5, 10, 11, 12]), (25, [17, 18, 19, 25]), (15, None)])
def test_page_around_a_log_outside_the_range_includes_it(
    order: Order, around: int, expected: list[int] | None
) -> None:
    store(make_item(n) for n in range(30))
    log_filter = LogFilter(
        start=START + timedelta(seconds=10), end=START + timedelta(seconds=20), order=order
    )
    page = read_around(make_plan(log_filter), LogItem.get(make_item(around).id), 7)
    numbers = expected or list(range(12, 19))
    assert ids(page) == [make_item(n).id for n in (numbers if order is Order.OLDEST else numbers[::-1])]
