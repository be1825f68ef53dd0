"""Pages are exact in both directions and have a fixed cost in requests."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from logs import reader
from logs.filters import LogFilter, Order
from logs.models import LogItem
from logs.plan import END, make_plan
from logs.reader import read_page
from logs.storage import documents
from logs.storage.errors import StoreUnavailable
from tests.dynamodb_calls import counted_calls
from tests.items import START, make_item, store
from tests.oracle import assert_exact, matching
from tests.walks import all_ids, ids, walk, walk_back

pytestmark = pytest.mark.usefixtures("logs_table")


def test_3000_logs_at_one_time_are_each_read_once() -> None:
    moment = START + timedelta(seconds=1000)
    items = [
        make_item(number, **({"created_at": moment} if 1000 <= number < 4000 else {}))
        for number in range(5_000)
    ]
    store(items)
    for order in Order:
        plan = make_plan(LogFilter(order=order))

        forth = walk(plan, 200)

        assert_exact(forth, items, order)
        back = walk_back(plan, 200, forth[-1].previous)
        assert [ids(page) for page in back] == [ids(page) for page in forth[:-1]]


@pytest.mark.parametrize(
    "log_filter",
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
    ids=["all", "account", "type", "account_and_type", "range", "account_from", "type_to", "no_log"],
)
@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("limit", [1, 7, 200])
def test_filter_is_read_exactly_both_ways(log_filter: LogFilter, order: Order, limit: int) -> None:
    log_filter = replace(log_filter, order=order)
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
    plan = make_plan(log_filter)

    forth = walk(plan, limit)

    assert_exact(forth, matching(items, log_filter), order)
    assert all(len(page.items) == limit for page in forth[:-1])
    back = walk_back(plan, limit, forth[-1].previous)
    assert [ids(page) for page in back] == [ids(page) for page in forth[:-1]]


def test_last_page_is_read_from_the_end() -> None:
    store(make_item(number) for number in range(25))
    plan = make_plan(LogFilter())

    last = read_page(plan, END, 10)

    assert [item.created_at.second for item in last.items] == list(range(9, -1, -1))
    assert last.next is None
    assert last.previous
    assert last.cost.queries == 1
    assert [len(page.items) for page in walk_back(plan, 10, last.previous)] == [5, 10]


def test_empty_table_has_no_next_or_previous() -> None:
    empty = read_page(make_plan(LogFilter()), None, 10)
    assert (empty.items, empty.previous, empty.next, empty.complete) == ([], None, None, True)
    assert read_page(make_plan(LogFilter()), END, 10).previous is None


def test_page_that_ends_with_the_logs_has_no_next() -> None:
    store(make_item(number) for number in range(20))
    assert [len(page.items) for page in walk(make_plan(LogFilter()), 10)] == [10, 10]


@pytest.mark.parametrize(
    "log_filter",
    [LogFilter(), LogFilter(account_id=("7",), type=("login",))],
    ids=["all", "account_and_type"],
)
def test_page_costs_one_query_of_one_extra_item(log_filter: LogFilter) -> None:
    store(make_item(number) for number in range(500))
    plan = make_plan(log_filter)
    first = read_page(plan, None, 50)
    with counted_calls() as calls:
        second = read_page(plan, first.next, 50)
    assert calls == {"Query": 1}
    assert (second.cost.queries, second.cost.examined) == (1, 51)
    # An index item has about 250 bytes here. An eventually consistent read unit covers 8 KB.
    assert second.cost.read_units <= 2


def test_new_logs_neither_repeat_nor_hide_others() -> None:
    store(make_item(number) for number in range(40))
    plan = make_plan(LogFilter())
    first = read_page(plan, None, 10)
    store(make_item(number) for number in range(40, 60))
    rest = walk(plan, 10, first.next)
    assert all_ids(rest) == [make_item(n).id for n in range(29, -1, -1)]
    assert ids(walk_back(plan, 10, rest[0].previous)[-1]) == ids(first)


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
    plan = make_plan(LogFilter())
    pages = walk(plan, 10)
    assert [len(page.items) for page in pages] == [10, 10, 10]
    assert [ids(page) for page in walk_back(plan, 10, pages[-1].previous)] == [
        ids(pages[0]),
        ids(pages[1]),
    ]
    assert reader.get(make_item(1).id) is None
    assert reader.get(make_item(0).id)


@pytest.mark.parametrize(
    "log_id",
    [
        "0000000000004000800000000000000a",
        "0000000000004000800000000000000A",
        "00000000-0000-4000-8000-00000000000a",
        "{00000000-0000-4000-8000-00000000000A}",
        "urn:uuid:00000000-0000-4000-8000-00000000000a",
    ],
)
def test_get_accepts_any_uuid_format(log_id: str) -> None:
    store([make_item(10)])
    item = reader.get(log_id)
    assert item
    assert item.id == make_item(10).id


@pytest.mark.parametrize("log_id", ["", "x", "0" * 32, "\x00", "\ud800", "0" * 10_000])
def test_get_returns_none_for_an_unknown_id(log_id: str) -> None:
    assert reader.get(log_id) is None


def test_missing_table_raises_store_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LogItem.Meta, "table_name", "NoSuchTable")
    with pytest.raises(StoreUnavailable):
        read_page(make_plan(LogFilter()), None, 10)
    with pytest.raises(StoreUnavailable):
        reader.get("0" * 32)


@pytest.mark.parametrize(
    "text", ["App\\Models\\User", 'said "no way"', '"state": "open"', "Zoe\u0308", "Zo\u00eb", "1.5", "/end"]
)
def test_search_reads_values_and_whole_urls(text: str) -> None:
    value = {
        "class": "App\\Models\\User",
        "note": 'he said "no way"',
        "state": "open",
        "who": "Zo\u00eb",
        "n": 1.5,
    }
    payload = json.dumps(value, separators=(",", ":"))
    document = documents.pack({"payload": payload, "texts": {"url": "/" + "x" * 2000 + "/end"}})
    store(
        [
            make_item(1, payload_type="json", payload_size=len(payload), document=document, url="/xxx…"),
            make_item(2, payload="other", payload_type="text", payload_size=5),
        ]
    )
    assert ids(read_page(make_plan(LogFilter(q=text)), None, 10)) == [make_item(1).id]
