"""Pages are read exactly, in both directions, at a known cost."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pynamodb.signals import pre_dynamodb_send

from logs import reader
from logs.models import LogItem
from logs.plan import END, LogFilter, Order, Position, make_plan
from logs.reader import Page, read_page
from logs.sentence import sentence
from tests.items import START, make_item, store

pytestmark = pytest.mark.usefixtures("logs_table")


@contextmanager
def counted_calls() -> Iterator[list[str]]:
    """Collect the DynamoDB operations that are sent meanwhile."""
    calls: list[str] = []

    def note(sender: object, operation_name: str, **kwargs: object) -> None:
        calls.append(operation_name)

    with pre_dynamodb_send.connected_to(note):
        yield calls


def ids(page: Page) -> list[str]:
    return [item.id for item in page.items]


def walk(asked: LogFilter, limit: int, position: Position | None = None) -> list[Page]:
    """Follow Next from a position to the end; bounded, so that a loop fails instead of hanging."""
    plan = make_plan(asked)
    pages = []
    for _ in range(1000):
        pages.append(read_page(plan, position, limit))
        position = pages[-1].next
        if position is None:
            return pages
    raise AssertionError("the walk does not end")


def walk_back(asked: LogFilter, limit: int, position: Position | None) -> list[Page]:
    """Follow Previous from a position to the beginning; the pages in the order of the walk."""
    plan = make_plan(asked)
    pages: list[Page] = []
    while position:
        assert len(pages) < 1000, "the walk does not end"
        pages.append(read_page(plan, position, limit))
        position = pages[-1].previous
    return pages


def test_3000_logs_at_one_time_are_each_read_once() -> None:
    moment = START + timedelta(seconds=3500)
    items = [
        make_item(number, **({"created_at": moment} if 3500 <= number < 6500 else {}))
        for number in range(10_000)
    ]
    store(items)
    for order in Order:
        asked = LogFilter(order=order)

        forth = walk(asked, 200)

        seen = [log_id for page in forth for log_id in ids(page)]
        assert len(seen) == len(set(seen)) == 10_000
        times = [item.created_at for page in forth for item in page.items]
        assert times == sorted(times, reverse=order is Order.NEWEST)
        back = walk_back(asked, 200, forth[-1].previous)
        assert [ids(page) for page in back] == [ids(page) for page in forth[-2::-1]]


@pytest.mark.parametrize(
    "asked",
    [
        LogFilter(),
        LogFilter(account_id=("7",)),
        LogFilter(type=("login",)),
        LogFilter(account_id=("7",), type=("login",)),
        LogFilter(start=START + timedelta(seconds=20), end=START + timedelta(seconds=90)),
        LogFilter(account_id=("8",), start=START + timedelta(seconds=21)),
        LogFilter(type=("logout",), end=START + timedelta(seconds=22)),
        LogFilter(account_id=("9",)),
    ],
    ids=lambda asked: sentence(make_plan(asked)),
)
@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("limit", [1, 7, 200])
def test_filter_is_read_exactly_both_ways(asked: LogFilter, order: Order, limit: int) -> None:
    asked = replace(asked, order=order)
    items = [
        make_item(
            number,
            account_id=("7", "8")[number % 2],
            type=("login", "logout", "view")[number % 3],
            created_at=START + timedelta(seconds=number // 4),
        )
        for number in range(120)
    ]
    store(items)
    expected = [
        item
        for item in items
        if (not asked.account_id or item.account_id in asked.account_id)
        and (not asked.type or item.type in asked.type)
        and (asked.start is None or item.created_at >= asked.start)
        and (asked.end is None or item.created_at < asked.end)
    ]

    forth = walk(asked, limit)

    walked = [item for page in forth for item in page.items]
    assert sorted(item.id for item in walked) == sorted(item.id for item in expected)
    moments = [item.created_at for item in walked]
    assert moments == sorted(moments, reverse=order is Order.NEWEST)
    assert all(len(page.items) == limit for page in forth[:-1])
    back = walk_back(asked, limit, forth[-1].previous)
    assert [ids(page) for page in back] == [ids(page) for page in forth[-2::-1]]


def test_last_page_is_read_from_the_end() -> None:
    store(make_item(number) for number in range(25))
    plan = make_plan(LogFilter())

    last = read_page(plan, END, 10)

    assert [item.created_at.second for item in last.items] == list(range(9, -1, -1))
    assert last.next is None
    assert last.previous
    assert last.cost.queries == 1
    assert [len(page.items) for page in walk_back(LogFilter(), 10, last.previous)] == [10, 5]


def test_empty_table_has_no_next_or_previous() -> None:
    empty = read_page(make_plan(LogFilter()), None, 10)
    assert (empty.items, empty.previous, empty.next, empty.complete) == ([], None, None, True)
    assert read_page(make_plan(LogFilter()), END, 10).previous is None


def test_page_that_ends_with_the_logs_has_no_next() -> None:
    store(make_item(number) for number in range(20))
    assert [len(page.items) for page in walk(LogFilter(), 10)] == [10, 10]


@pytest.mark.parametrize("asked", [LogFilter(), LogFilter(account_id=("7",), type=("login",))])
def test_page_costs_one_query_of_one_extra_item(asked: LogFilter) -> None:
    store(make_item(number) for number in range(500))
    plan = make_plan(asked)
    first = read_page(plan, None, 50)
    with counted_calls() as calls:
        second = read_page(plan, first.next, 50)
    assert calls == ["Query"]
    assert (second.cost.queries, second.cost.examined) == (1, 51)
    # An item in an index is about 250 bytes here; an eventually consistent read unit covers 8 KB.
    assert second.cost.read_units <= 2


def test_new_logs_neither_repeat_nor_hide_others() -> None:
    store(make_item(number) for number in range(40))
    plan = make_plan(LogFilter())
    first = read_page(plan, None, 10)
    store(make_item(number) for number in range(40, 60))
    rest = walk(LogFilter(), 10, first.next)
    assert [log_id for page in rest for log_id in ids(page)] == [make_item(n).id for n in range(29, -1, -1)]
    assert ids(walk_back(LogFilter(), 10, rest[0].previous)[0]) == ids(first)


def test_log_named_by_a_cursor_may_be_deleted() -> None:
    store(make_item(number) for number in range(40))
    plan = make_plan(LogFilter())
    first = read_page(plan, None, 10)
    first.items[-1].delete()
    second = read_page(plan, first.next, 10)
    assert ids(second) == [make_item(n).id for n in range(29, 19, -1)]
    second.items[0].delete()
    assert ids(read_page(plan, second.previous, 10)) == ids(first)[:-1]


def test_empty_page_leads_back_to_the_cut() -> None:
    store(make_item(number) for number in range(15))
    plan = make_plan(LogFilter())
    first = read_page(plan, None, 10)
    for number in range(5):
        make_item(number).delete()
    beyond = read_page(plan, first.next, 10)
    assert (beyond.items, beyond.next) == ([], None)
    assert beyond.previous
    assert ids(read_page(plan, beyond.previous, 10)) == ids(first)


def test_expired_log_is_hidden_before_ttl_deletes_it() -> None:
    past, future = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1)
    store(make_item(n, expires_at=past if n % 3 else future) for n in range(90))
    pages = walk(LogFilter(), 10)
    assert [len(page.items) for page in pages] == [10, 10, 10]
    assert [ids(page) for page in walk_back(LogFilter(), 10, pages[-1].previous)] == [
        ids(pages[1]),
        ids(pages[0]),
    ]
    assert reader.get(make_item(1).id) is None
    assert reader.get(make_item(0).id)


@pytest.mark.parametrize(
    "spelling",
    [
        "0000000000004000800000000000000a",
        "0000000000004000800000000000000A",
        "00000000-0000-4000-8000-00000000000a",
        "{00000000-0000-4000-8000-00000000000A}",
        "urn:uuid:00000000-0000-4000-8000-00000000000a",
    ],
)
def test_get_accepts_any_uuid_format(spelling: str) -> None:
    store([make_item(10)])
    found = reader.get(spelling)
    assert found
    assert found.id == make_item(10).id


@pytest.mark.parametrize("log_id", ["", "x", "0" * 32, "\x00", "\ud800", "0" * 10_000])
def test_get_returns_none_for_an_unknown_id(log_id: str) -> None:
    assert reader.get(log_id) is None


def test_missing_table_raises_store_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LogItem.Meta, "table_name", "NoSuchTable")
    with pytest.raises(reader.StoreUnavailable):
        read_page(make_plan(LogFilter()), None, 10)
    with pytest.raises(reader.StoreUnavailable):
        reader.get("0" * 32)
