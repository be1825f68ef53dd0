"""The overview of all logs equals the logs."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from logs.digests import builder
from logs.models import LogItem
from logs.storage.item_size import mean_sizes
from tests.conftest import empty_logs_table
from tests.digests import empty_digests_table
from tests.dynamodb_calls import recorded_calls
from tests.items import make_item, store
from tests.overview import figure, hot_key, overview
from tests.pages import LISTING, fetch, link, row_ids


@cache
def now() -> datetime:
    """Return the time of the first call, not of the import: a run may go on after midnight."""
    return datetime.now(UTC)


def today() -> datetime:
    return now().replace(hour=0, minute=0, second=0, microsecond=0)


def peak() -> datetime:
    return today() - timedelta(days=3) + timedelta(hours=10)


@pytest.fixture(scope="module")
def items() -> Iterator[list[LogItem]]:
    """Store logs of 70 days with a busy hour, and build their digests once. The tests only read them."""
    empty_logs_table()
    empty_digests_table()
    start = today() - timedelta(days=70)
    items = [
        make_item(n, created_at=start + n * timedelta(hours=4), account_id=str(n % 5), type=f"type{n % 7}")
        for n in range(int((now() - start) / timedelta(hours=4)) + 1)
    ]
    items += [
        make_item(5_000 + n, created_at=peak() + timedelta(seconds=n), account_id="busy", type="export")
        for n in range(90)
    ]
    store(items)
    builder.build()
    yield items
    empty_digests_table()


def between(items: list[LogItem], start: datetime, end: datetime | None = None) -> int:
    return sum(start <= item.created_at < (end or now()) for item in items)


def test_overview_equals_the_logs(viewer_client: Client, items: list[LogItem]) -> None:
    month, before = today() - timedelta(days=30), today() - timedelta(days=60)
    recent, earlier = between(items, month, today()), between(items, before, month)

    page = fetch(viewer_client, "overview/")
    text = overview(viewer_client)

    assert figure(text, "Last 30 days") == f"{recent} ({recent / 30:,.3g} a day)"
    assert figure(text, "30 days before") == f"{earlier} ({earlier / 30:,.3g} a day)"
    assert figure(text, "Growth") == f"{(recent / earlier - 1) * 100:+,.0f} %"
    assert figure(text, "All logs") == str(len(items))
    assert "at least" not in text.split("Hot keys")[0]
    # The table behind the bars has the same numbers.
    days = Counter(f"{each.created_at.day} {each.created_at:%b} {each.created_at.year}" for each in items)
    cells = re.findall(r'<tr><th scope="row"><a [^>]*>([^<]*)</a></th><td>(\d+)</td>', page)
    assert len(cells) >= 31
    assert all(days[day] == int(logs) for day, logs in cells)
    assert sum(int(logs) for _, logs in cells) == between(items, month)
    # The sizes are those of the newest logs.
    newest = sorted(items, key=lambda item: item.created_at)[-100:]
    sizes = mean_sizes(newest)
    assert figure(text, "Average size") == f"{sizes.item_bytes:,.0f} bytes"
    assert figure(text, "Write units") == f"{sizes.write_units:.4g} a log"
    assert f"{sizes.stored_bytes:,.0f} with the indexes, of the newest 100 logs" in text
    # The month begins in UTC, and its arithmetic is that of the module.
    assert re.search(rf"for {between(items, today().replace(day=1))} logs?\. The whole month", text)
    assert f"{sizes.write_units:.4g} units a log" in text


def test_hot_keys_are_those_of_the_busiest_hour(viewer_client: Client, items: list[LogItem]) -> None:
    text, page = overview(viewer_client), fetch(viewer_client, "overview/")
    busiest = between(items, peak(), peak() + timedelta(hours=1))
    hour = f"{peak().day} {peak():%b} {peak().year} 10:00 - 11:00"
    units = f"{busiest / 3600:,.3g}"

    used = "under 0.01 %"
    assert hot_key(text, "All logs")[2:] == [units, str(busiest), hour]
    assert hot_key(text, "Type export") == [used, "40,000 times as many", "0.025", "90", hour]
    # Digests count accounts by day, so the number of an hour is a limit.
    room, limit = "at least 40,000 times as many", "at most 0.025"
    assert hot_key(text, "Account busy") == [used, room, limit, "at most 90", hour]
    rows = fetch(viewer_client, f"{link(page, hour).removeprefix(LISTING)}&limit=200")
    assert len(row_ids(rows)) == busiest


def test_overview_costs_few_requests(viewer_client: Client, items: list[LogItem]) -> None:
    """docs/costs.md has these numbers."""
    with recorded_calls() as requests_sent:
        response = viewer_client.get(f"{LISTING}overview/")
    session, *others = [operation for operation, _ in requests_sent]
    assert session == "BatchGetItem"
    assert len(others) == response.context["overview"].cost.queries
    calls = Counter(others)
    assert calls["BatchGetItem"] <= 3
    assert calls["Query"] <= 10
    assert response.context["overview"].cost.read_units <= 700


def test_days_begin_in_the_time_zone(viewer_client: Client, items: list[LogItem]) -> None:
    zone = ZoneInfo("Europe/Berlin")
    page = fetch(viewer_client, "overview/?tz=Europe/Berlin")
    days = Counter(f"{(t := each.created_at.astimezone(zone)).day} {t:%b} {t.year}" for each in items)
    cells = re.findall(r'<tr><th scope="row"><a [^>]*>([^<]*)</a></th><td>(\d+)</td>', page)
    assert len(cells) >= 30
    assert all(days[day] == int(logs) for day, logs in cells)
    assert "from midnight UTC" not in page
    assert "from midnight UTC" in fetch(viewer_client, "overview/?tz=Asia/Kathmandu")
