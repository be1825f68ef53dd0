"""Walks through random logs, filters, shards, orders and budgets, against an oracle in plain Python."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logs import cursor
from logs.merge import Budget
from logs.models import LogItem, shard_status
from logs.plan import LogFilter, Order, Position, QueryPlan, make_plan
from logs.reader import Page, read_page
from tests.items import START, make_item, store

ACCOUNTS, TYPES, USERS = ("a", "b", "c"), ("login", "view"), ("1", "2", "3")


@dataclass
class World:
    """Some logs in the table, and the accounts that are theirs alone, so that no example sees another's."""

    items: list[LogItem]
    shards: int
    prefix: str

    def expected(self, asked: LogFilter) -> list[LogItem]:
        return [
            item
            for item in self.items
            if item.account_id in asked.account_id
            and (not asked.type or item.type in asked.type)
            and (asked.start is None or item.created_at >= asked.start)
            and (asked.end is None or item.created_at < asked.end)
            and asked.user_id in (None, item.user_id)
        ]


examples = st.integers(0, 10**9)
limits = st.one_of(st.integers(1, 12), st.integers(1, 200))


@st.composite
def filters(draw: st.DrawFn, unindexed: bool) -> LogFilter:
    """Draw a filter of several accounts and types and a range of time; `unindexed` looks for a user too."""
    start = draw(st.none() | st.integers(0, 12))
    end = draw(st.none() | st.integers(13, 25))
    return LogFilter(
        account_id=tuple(draw(st.lists(st.sampled_from(ACCOUNTS), min_size=1, unique=True))),
        type=tuple(draw(st.lists(st.sampled_from(TYPES), unique=True))),
        user_id=draw(st.sampled_from(USERS)) if unindexed else None,
        start=None if start is None else START + timedelta(seconds=start),
        end=None if end is None else START + timedelta(seconds=end),
        order=draw(st.sampled_from(Order)),
    )


def make_world(seed: int) -> World:
    """Return up to 90 logs, many of them in the same few moments."""
    chance = random.Random(seed)
    prefix = f"{chance.getrandbits(60):x}-"
    shards = chance.randint(1, 8)
    moments = chance.choice([1, 3, 25])
    items = []
    for _ in range(chance.randint(0, 90)):
        log_id = UUID(int=chance.getrandbits(128), version=4).hex
        items.append(
            make_item(
                id=log_id,
                account_id=prefix + chance.choice(ACCOUNTS),
                type=chance.choice(TYPES),
                user_id=chance.choice(USERS),
                status=shard_status(log_id, shards),
                created_at=START + timedelta(seconds=chance.randrange(moments)),
            )
        )
    store(items)
    return World(items, shards, prefix)


def ids(page: Page) -> list[str]:
    return [item.id for item in page.items]


def step(plan: QueryPlan, position: Position | None, limit: int, budget: Budget) -> Page:
    """Read a page from a position that went through a cursor's text."""
    if position:
        position = cursor.decode(cursor.encode(position, plan), plan)
    return read_page(plan, position, limit, budget)


def forth(plan: QueryPlan, limit: int, budget: Budget) -> Iterator[Page]:
    position: Position | None = None
    for _ in range(2000):
        page = step(plan, position, limit, budget)
        yield page
        if page.next is None:
            return
        position = page.next
    raise AssertionError("the walk does not end")


def back(plan: QueryPlan, position: Position | None, limit: int, budget: Budget) -> list[Page]:
    """Walk Previous from a position to the beginning; the pages in the order of the logs."""
    pages: list[Page] = []
    while position:
        assert len(pages) < 2000, "the walk does not end"
        pages.insert(0, step(plan, position, limit, budget))
        position = pages[0].previous
    return pages


bounded = settings(
    # The other engine, of tests/test_engine_portability.py, scans its tables.
    max_examples=15 if os.environ.get("TEST_DYNAMODB_ENDPOINT") else 40,
    deadline=None,  # the machines are noisy
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def assert_exact(pages: list[Page], expected: list[LogItem], order: Order) -> None:
    walked = [item for page in pages for item in page.items]
    assert sorted(item.id for item in walked) == sorted(item.id for item in expected)
    moments = [item.created_at for item in walked]
    assert moments == sorted(moments, reverse=order is Order.NEWEST)


@bounded
@given(seed=examples, asked=filters(unindexed=False), limit=limits)
def test_next_yields_each_log_once_and_previous_returns(seed: int, asked: LogFilter, limit: int) -> None:
    world = make_world(seed)
    asked = replace(asked, account_id=tuple(world.prefix + account for account in asked.account_id))
    plan = make_plan(asked, world.shards)
    pages = list(forth(plan, limit, Budget()))
    assert_exact(pages, world.expected(asked), asked.order)
    assert [ids(page) for page in back(plan, pages[-1].previous, limit, Budget())] == [
        ids(page) for page in pages[:-1]
    ]


@bounded
@given(seed=examples, asked=filters(unindexed=True), limit=limits, examined=st.integers(1, 60))
def test_budget_yields_the_same_rows_both_ways(
    seed: int, asked: LogFilter, limit: int, examined: int
) -> None:
    world = make_world(seed)
    asked = replace(asked, account_id=tuple(world.prefix + account for account in asked.account_id))
    plan, budget = make_plan(asked), Budget(examined=examined)
    pages = list(forth(plan, limit, budget))
    assert_exact(pages, world.expected(asked), asked.order)
    before = [log_id for page in pages[:-1] for log_id in ids(page)]
    assert [
        log_id for page in back(plan, pages[-1].previous, limit, budget) for log_id in ids(page)
    ] == before


@bounded
@given(seed=examples, asked=filters(unindexed=False), limit=st.integers(1, 15))
def test_concurrent_changes_hide_no_lasting_log(seed: int, asked: LogFilter, limit: int) -> None:
    world = make_world(seed)
    asked = replace(asked, account_id=tuple(world.prefix + account for account in asked.account_id))
    chance = random.Random(seed + 1)
    staying = {item.id for item in world.expected(asked)}
    seen: list[str] = []
    for page in forth(make_plan(asked), limit, Budget()):
        seen += ids(page)
        if page.items and chance.random() < 0.5:
            page.items[-1].delete()  # the very log that the cursor names
        if world.items and chance.random() < 0.3:
            gone = chance.choice(world.items)
            gone.delete()
            staying.discard(gone.id)
        store(
            make_item(
                id=UUID(int=chance.getrandbits(128), version=4).hex,
                account_id=chance.choice(asked.account_id),
                type=chance.choice(TYPES),
                created_at=START + timedelta(seconds=chance.randrange(25)),
            )
            for _ in range(chance.randrange(3))
        )
    assert len(seen) == len(set(seen))
    assert staying <= set(seen)


@contextmanager
def sharded(count: int, shards: int) -> Iterator[list[LogItem]]:
    items = [make_item(n, status=shard_status(make_item(n).id, shards)) for n in range(count)]
    store(items)
    yield items
    with LogItem.batch_write() as batch:
        for item in items:
            batch.delete(item)


@pytest.mark.parametrize("streams", [1, 2, 7, 49])
@pytest.mark.parametrize("order", list(Order))
def test_any_number_of_shards_is_read_in_full(logs_table: None, streams: int, order: Order) -> None:
    with sharded(150, streams) as items:
        plan = make_plan(LogFilter(order=order), streams)
        pages = list(forth(plan, 20, Budget()))
        assert_exact(pages, items, order)
        assert [ids(page) for page in back(plan, pages[-1].previous, 20, Budget())] == [
            ids(page) for page in pages[:-1]
        ]


def test_search_for_rare_logs_stays_in_its_budget(logs_table: None) -> None:
    store(make_item(n, user_id="rare" if n % 1000 == 7 else "12") for n in range(20_000))
    budget = Budget(examined=5_000)
    pages = list(forth(make_plan(LogFilter(user_id="rare")), 50, budget))
    assert sum(len(page.items) for page in pages) == 20
    assert all(page.cost.examined <= 5_000 for page in pages)
    assert len(pages) <= 6
