"""Counts equal a brute-force count, or are marked as lower bounds."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from logs import counter
from logs.digests import builder, erasure
from logs.digests.moments import to_moment
from logs.filters import LogFilter, Order
from logs.models import LogItem, is_own_account, shard_status
from logs.plan import make_plan
from logs.reading.budget import Budget
from logs.reading.count_result import Bucket, TooManyBuckets
from tests.digests import Killed, directories, empty_digests_table, killed_after, small_segments, store_late
from tests.items import logs, make_item, store
from tests.numbers import assert_numbers

NOW = datetime.now(UTC).replace(minute=30, second=0, microsecond=0) - timedelta(hours=1)
TODAY = NOW.replace(hour=0, minute=0)
SHARDS = 3
ALL_FIELDS = ("type", "sub_type", "account_id", "user_id")
NO_INDEX = Budget(examined=0)


@pytest.fixture
def tables(logs_table: None) -> Iterator[None]:
    """Empty both tables."""
    empty_digests_table()
    yield
    empty_digests_table()


def make_logs(
    number: int, rng: random.Random, days: int = 4, start: int = 0, shards: int = 1
) -> list[LogItem]:
    """Return logs with random values of the last days."""
    return [
        make_item(
            start + index,
            created_at=NOW - timedelta(seconds=rng.randrange(days * 24 * 3600)),
            account_id=rng.choice(["7", "8", "9", "_logsite"]),
            user_id=str(rng.randrange(30)),
            type=rng.choice(["login", "update", "export"]),
            sub_type=f"s{rng.randrange(5)}",
            submitter_country=rng.choice(["Japan", "Germany", None]),
            status=shard_status(str(index), shards),
        )
        for index in range(number)
    ]


def expected_buckets(items: Iterable[LogItem], log_filter: LogFilter, bucket: Bucket) -> Counter[int]:
    """Return the number of visible logs by the first moment of their bucket, by brute force."""
    counts: Counter[int] = Counter()
    for item in items:
        if is_own_account(item.account_id):
            continue
        values = {name: (getattr(item, name) or "") for name in log_filter.values}
        is_match = all(values[name] in value for name, value in log_filter.values.items())
        start, end = log_filter.start, log_filter.end
        if is_match and (not start or item.created_at >= start) and (not end or item.created_at < end):
            counts[to_moment(item.created_at) // bucket.length * bucket.length] += 1
    return counts


FILTERS = [
    LogFilter(),
    LogFilter(type=("login",)),
    LogFilter(type=("login", "export")),
    LogFilter(account_id=("7",)),
    LogFilter(account_id=("7", "8"), type=("update",)),
    LogFilter(user_id=("12",)),
    LogFilter(sub_type=("s3",)),
]


def assert_exact(items: Iterable[LogItem], log_filter: LogFilter, shards: int = 1) -> None:
    """Raise AssertionError unless all numbers are exact and equal a brute-force count of the items."""
    for bucket in Bucket:
        result, _ = counter.counts(make_plan(log_filter, shards), bucket, budget=Budget())
        expected = expected_buckets(items, log_filter, bucket)
        assert {moment: each.number for moment, each in result.buckets.items() if each.number} == expected
        assert all(each.is_exact for each in result.buckets.values())
        assert result.total.number == expected.total()


@pytest.mark.parametrize("log_filter", FILTERS)
def test_counts_equal_brute_force(log_filter: LogFilter, tables: None) -> None:
    rng = random.Random(3)
    store(make_logs(600, rng))
    with small_segments(100):
        builder.build()
        for item in make_logs(30, rng, start=1_000):
            store_late(item)
    items = logs()
    assert_exact(items, log_filter)
    assert_exact(
        items, replace(log_filter, start=NOW - timedelta(days=2, minutes=17), end=NOW - timedelta(minutes=45))
    )


def test_numbers_after_everything_equal_brute_force(
    tables: None, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """The logs are in several shards, and some are late, deleted or delivered again."""
    monkeypatch.setenv("LOGS_SORTING_SHARDS", str(SHARDS))
    rng = random.Random(5)
    items = make_logs(20_000, rng, shards=SHARDS)
    store(items)
    with suppress(Killed), killed_after(30):
        builder.build()
    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(builder.build) for _ in range(2)]:
            future.result()
    for item in rng.sample(items, 40):
        store_late(item)  # a redelivered message
    for item in make_logs(60, rng, start=50_000, shards=SHARDS):
        store_late(item)
    for item in rng.sample(items, 10):
        erasure.delete(item.id)
    with suppress(Killed), killed_after(20):
        builder.build(TODAY - timedelta(days=2), TODAY - timedelta(days=1), rebuild=True)
    items = logs()
    for log_filter in (FILTERS[0], FILTERS[1], FILTERS[3]):
        assert_exact(items, log_filter, SHARDS)
    builder.build()
    assert_exact(items, FILTERS[0], SHARDS)
    assert_pages_exact(items)
    now = datetime.now(UTC)
    newest = [make_item(90_000 + n, created_at=now - timedelta(minutes=4, seconds=n)) for n in range(50)]
    store(newest)
    settings.LOGS_MAX_EXAMINED = 20
    result = assert_numbers([*items, *newest], LogFilter(), shards=SHARDS)
    # Digests have the older days. The newest logs are more than the budget.
    expected = expected_buckets([*items, *newest], LogFilter(), Bucket.DAY)
    marked = {moment for moment, each in result.buckets.items() if not each.is_exact}
    assert not result.total.is_exact
    assert marked & expected.keys() == {
        moment for moment, number in expected.items() if result.buckets[moment].number < number
    }


def assert_pages_exact(items: list[LogItem]) -> None:
    """Raise AssertionError unless the numbers of pages agree with a brute-force count.

    Marks "at least" are where logs were not read.
    """
    uneven = LogFilter(start=NOW - timedelta(days=2, minutes=17), end=NOW - timedelta(minutes=45))
    week = replace(uneven, start=TODAY - timedelta(days=6), end=None)
    exact_fields = {"type", "sub_type", "user_id", "account_id"}
    berlin, kathmandu = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kathmandu")
    pages = ((LogFilter(), kathmandu), (week, berlin), (uneven, berlin))
    for log_filter, zone in pages:
        result = assert_numbers(items, log_filter, zone, SHARDS)
        assert result.total.is_exact
        # The logs of a whole table are more than a page reads for the countries.
        assert result.lower_bounds.isdisjoint({"type"} if log_filter == uneven else exact_fields)
        assert "submitter_country" in result.lower_bounds
    for log_filter in (FILTERS[1], FILTERS[5], LogFilter(submitter_country=("Japan",))):
        assert_numbers(items, log_filter, shards=SHARDS)
    for log_filter in (FILTERS[3], FILTERS[4]):
        assert_numbers(items, replace(log_filter, start=uneven.start, end=uneven.end), shards=SHARDS)
    hour = LogFilter(start=NOW - timedelta(minutes=59), end=NOW - timedelta(minutes=3))
    result = assert_numbers(items, hour, shards=SHARDS)
    assert result.has_exact_values
    assert result.total.is_exact
    assert len(result.starts) == 56


def test_values_of_fields_are_counted(tables: None) -> None:
    rng = random.Random(7)
    store(make_logs(500, rng))
    builder.build()
    for budget in (Budget(), NO_INDEX):
        result, _ = counter.counts(make_plan(LogFilter()), Bucket.DAY, ALL_FIELDS, budget)
        visible = [item for item in logs() if not is_own_account(item.account_id)]
        for name in ALL_FIELDS:
            expected = Counter(getattr(item, name) for item in visible)
            values = result.values[name].values
            if result.has_exact_values:
                assert values == expected
            assert all(number <= expected[value] for value, number in values.items())


@pytest.mark.parametrize("order", Order)
def test_unread_ranges_are_lower_bounds(order: Order, tables: None) -> None:
    store(make_logs(300, random.Random(9)))
    result, _ = counter.counts(make_plan(LogFilter(order=order)), Bucket.DAY, budget=NO_INDEX)
    assert not any(each.is_exact for each in result.buckets.values())
    expected = expected_buckets(logs(), LogFilter(), Bucket.DAY)
    assert all(each.number <= expected[moment] for moment, each in result.buckets.items())


def test_search_has_no_exact_counts(tables: None) -> None:
    store(make_logs(20, random.Random(11)))
    result, _ = counter.counts(make_plan(LogFilter(q="login")), Bucket.DAY)
    assert result.total.number == 0
    assert not result.total.is_exact


def test_partly_expired_groups_are_lower_bounds(tables: None) -> None:
    items = make_logs(200, random.Random(13), days=2)
    expiry = datetime.now(UTC) + timedelta(days=8)
    week_start = expiry.timestamp() // (7 * 24 * 3600) * 7 * 24 * 3600
    for number, item in enumerate(items):
        item.expires_at = datetime.fromtimestamp(week_start + 3600 + number, UTC)
    store(items)
    builder.build()
    middle = week_start + 3600 + 100
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("logs.reading.digest_counts.time.time", lambda: middle)
        result, _ = counter.counts(make_plan(LogFilter()), Bucket.HOUR)
    assert not result.total.is_exact
    assert result.total.number < 200


def test_histogram_of_a_month_costs_two_requests(tables: None) -> None:
    items = [
        make_item(number, created_at=TODAY - timedelta(days=number % 31, seconds=number))
        for number in range(310)
    ]
    store(items)
    builder.build()
    plan = make_plan(LogFilter(start=TODAY - timedelta(days=30), end=TODAY + timedelta(days=1)))
    result, cost = counter.counts(plan, Bucket.HOUR)
    assert result.total.is_exact
    assert cost.queries <= 2
    assert cost.read_units <= 40


def test_too_many_buckets_are_refused(tables: None) -> None:
    plan = make_plan(LogFilter(start=NOW - timedelta(days=1_000)))
    with pytest.raises(TooManyBuckets, match="at most 2,000"):
        counter.counts(plan, Bucket.HOUR)


def test_directory_has_no_leftovers(tables: None) -> None:
    store(make_logs(100, random.Random(15)))
    builder.build()
    assert all(not each.pending and not each.erasures for each in directories())
