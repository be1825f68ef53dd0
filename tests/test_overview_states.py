"""The states of the overview: lower bounds, shards, dead letters, wrong parameters, hostile values."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from tests.items import make_item, store
from tests.overview import figure, hot_key, overview
from tests.pages import LISTING, fetch, link

pytestmark = pytest.mark.usefixtures("digests_table")

NOW = datetime.now(UTC)
PEAK = NOW.replace(hour=10, minute=0, second=0, microsecond=0) - timedelta(days=3)
QUARTER = timedelta(minutes=15)


def test_lower_bounds_of_the_overview_are_marked(viewer_client: Client, settings: Any) -> None:
    settings.LOGS_MAX_EXAMINED = 150
    store(make_item(n, created_at=NOW - n * timedelta(hours=3)) for n in range(600))
    text = overview(viewer_client)
    assert figure(text, "All logs") == "at least 150"
    assert figure(text, "Growth") == "unknown"
    assert figure(text, "Last 30 days").startswith("at least 1")
    assert figure(text, "30 days before") == "unknown"
    assert "hatched: at least" in text
    assert hot_key(text, "All logs")[1] == "at most 3,600,000 times as many"
    assert hot_key(text, "All logs")[3] == "at least 1"
    assert "Only 150 logs were counted" in text
    assert "About\nat least" in text
    assert "\nAccount " not in text


def test_growth_is_unknown_if_logs_expire(viewer_client: Client) -> None:
    expires = NOW + timedelta(days=1)
    store([make_item(1, created_at=PEAK, received_at=expires - timedelta(days=40), expires_at=expires)])
    text = overview(viewer_client)
    assert figure(text, "Growth") == "unknown"
    assert "logs expire after 1 month" in text


def test_sorting_shards_divide_the_writes(viewer_client: Client, settings: Any) -> None:
    settings.LOGS_SORTING_SHARDS = 4
    store(make_item(n, created_at=PEAK + timedelta(seconds=n)) for n in range(40))
    assert hot_key(overview(viewer_client), "One of 4 sorting shards")[3] == "10"


@pytest.mark.parametrize(
    ("counts", "share"),
    [({"dead_letters": 5}, "5 (33.3 %)"), ({"dead_letters": 0}, "0 (0 %)"), ({"waiting": 3}, "unknown")],
    ids=["some", "none", "no_queue"],
)
def test_overview_has_the_share_of_dead_letters(
    viewer_client: Client, settings: Any, counts: Mapping[str, int], share: str
) -> None:
    settings.LOGS_QUEUE_COUNTS = lambda: counts
    store(make_item(n, created_at=NOW - timedelta(days=n, minutes=1)) for n in range(10))
    store(make_item(100 + n, created_at=NOW - timedelta(days=20)) for n in range(10))
    assert figure(overview(viewer_client), "Dead letters") == share


def test_failing_queue_counts_are_unknown(viewer_client: Client, settings: Any) -> None:
    settings.LOGS_QUEUE_COUNTS = "logs.no_such_module.counts"
    text = overview(viewer_client)
    assert figure(text, "Dead letters") == "unknown"
    assert "There are no logs yet." in text


def test_overview_takes_a_time_zone_only(viewer_client: Client) -> None:
    page = fetch(viewer_client, "overview/?type=login", status=400)
    assert "takes tz only: leave out type." in page
    response = viewer_client.get(f"{LISTING}overview/?tz=Nowhere")
    assert response.headers["Location"] == f"{LISTING}?tz=Nowhere"


def test_listing_leads_to_the_overview(viewer_client: Client) -> None:
    page = fetch(viewer_client, "?type=login&tz=Europe/Berlin")
    address = link(page, "Overview")
    assert address == "overview/?tz=Europe%2FBerlin"
    assert "Logs by day" in fetch(viewer_client, address)


@pytest.mark.parametrize("value", ["<b>&\"'", "é" * 240, "\u202eabc\u202c", "\U0001f468\u200d\U0001f469"])
def test_hostile_values_of_the_overview_are_text(viewer_client: Client, value: str) -> None:
    store(make_item(n, created_at=PEAK + n * QUARTER, type=value, account_id=value) for n in range(3))
    page = fetch(viewer_client, "overview/")
    assert "<b>&\"'" not in page
    assert "\u202e" not in page
    assert "Account " in page
