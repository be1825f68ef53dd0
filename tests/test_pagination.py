"""Walks over random logs, filters, shards, orders and budgets match an oracle in plain Python."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logs.filters import LogFilter, Order
from logs.models import LogItem, shard_status
from logs.plan import make_plan
from logs.reading.budget import Budget
from tests.items import START, make_item, store
from tests.oracle import assert_exact, matching
from tests.walks import all_ids, ids, iter_pages, walk, walk_back

ACCOUNTS, TYPES, SUB_TYPES = ("a", "b", "c"), ("login", "view"), ("1", "2", "3")


@dataclass
class World:
    """Stored logs of one example. Their account prefix separates them from other examples."""

    items: list[LogItem]
    shards: int
    prefix: str

    def prefixed(self, log_filter: LogFilter) -> LogFilter:
        """Return the filter with the accounts of this example."""
        accounts = tuple(self.prefix + account for account in log_filter.account_id)
        return replace(log_filter, account_id=accounts)

    def expected(self, log_filter: LogFilter) -> list[LogItem]:
        """Return the stored logs that the filter includes."""
        return matching(self.items, log_filter)


examples = st.integers(0, 10**9)
limits = st.one_of(st.integers(1, 12), st.integers(1, 200))


@st.composite
def filters(draw: st.DrawFn, unindexed: bool) -> LogFilter:
    """Draw a filter of accounts, types and a time range. `unindexed` adds a subtype, which has no index."""
    start = draw(st.none() | st.integers(0, 12))
    end = draw(st.none() | st.integers(13, 25))
    return LogFilter(
        account_id=tuple(draw(st.lists(st.sampled_from(ACCOUNTS), min_size=1, unique=True))),
        type=tuple(draw(st.lists(st.sampled_from(TYPES), unique=True))),
        sub_type=(draw(st.sampled_from(SUB_TYPES)),) if unindexed else (),
        start=None if start is None else START + timedelta(seconds=start),
        end=None if end is None else START + timedelta(seconds=end),
        order=draw(st.sampled_from(Order)),
    )


def make_world(seed: int) -> World:
    """Store and return up to 90 logs. Many share one time."""
    chance = random.Random(seed)
    # Independent of the seed: Hypothesis may repeat a seed, and the earlier logs are still stored.
    prefix = f"{uuid4().hex}-"
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
                sub_type=chance.choice(SUB_TYPES),
                status=shard_status(log_id, shards),
                created_at=START + timedelta(seconds=chance.randrange(moments)),
            )
        )
    store(items)
    return World(items, shards, prefix)


bounded = settings(
    # MiniStack, in tests/test_engine_portability.py, scans its tables.
    max_examples=15 if os.environ.get("TEST_DYNAMODB_ENDPOINT") else 40,
    deadline=None,  # Timings vary with the load of the machine.
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@bounded
@given(seed=examples, log_filter=filters(unindexed=False), limit=limits)
def test_next_yields_each_log_once_and_previous_returns(seed: int, log_filter: LogFilter, limit: int) -> None:
    world = make_world(seed)
    log_filter = world.prefixed(log_filter)
    plan = make_plan(log_filter, world.shards)
    pages = walk(plan, limit)
    assert_exact(pages, world.expected(log_filter), log_filter.order)
    assert [ids(page) for page in walk_back(plan, limit, pages[-1].previous)] == [
        ids(page) for page in pages[:-1]
    ]


@bounded
@given(seed=examples, log_filter=filters(unindexed=True), limit=limits, examined=st.integers(1, 60))
def test_budget_yields_the_same_rows_both_ways(
    seed: int, log_filter: LogFilter, limit: int, examined: int
) -> None:
    world = make_world(seed)
    log_filter = world.prefixed(log_filter)
    plan, budget = make_plan(log_filter), Budget(examined=examined)
    pages = walk(plan, limit, budget=budget)
    assert_exact(pages, world.expected(log_filter), log_filter.order)
    assert all_ids(walk_back(plan, limit, pages[-1].previous, budget)) == all_ids(pages[:-1])


@bounded
@given(seed=examples, log_filter=filters(unindexed=False), limit=st.integers(1, 15))
def test_concurrent_changes_hide_no_lasting_log(seed: int, log_filter: LogFilter, limit: int) -> None:
    world = make_world(seed)
    log_filter = world.prefixed(log_filter)
    chance = random.Random(seed + 1)
    lasting = {item.id for item in world.expected(log_filter)}
    seen: list[str] = []
    for page in iter_pages(make_plan(log_filter), limit):
        seen += ids(page)
        if page.items and chance.random() < 0.5:
            page.items[-1].delete()  # The cursor names this log.
        if world.items and chance.random() < 0.3:
            item = chance.choice(world.items)
            item.delete()
            lasting.discard(item.id)
        store(
            make_item(
                id=UUID(int=chance.getrandbits(128), version=4).hex,
                account_id=chance.choice(log_filter.account_id),
                type=chance.choice(TYPES),
                created_at=START + timedelta(seconds=chance.randrange(25)),
            )
            for _ in range(chance.randrange(3))
        )
    assert len(seen) == len(set(seen))
    assert lasting <= set(seen)


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
        pages = walk(plan, 20)
        assert_exact(pages, items, order)
        assert [ids(page) for page in walk_back(plan, 20, pages[-1].previous)] == [
            ids(page) for page in pages[:-1]
        ]


def test_search_for_rare_logs_stays_in_its_budget(logs_table: None) -> None:
    store(make_item(n, sub_type="rare" if n % 400 == 7 else "password") for n in range(8_000))
    budget = Budget(examined=2_000)
    pages = walk(make_plan(LogFilter(sub_type=("rare",))), 50, budget=budget)
    assert sum(len(page.items) for page in pages) == 20
    assert all(page.cost.examined <= 2_000 for page in pages)
    assert len(pages) <= 6
