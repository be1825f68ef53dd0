"""Freshness: the newest log, the queue and the dead letters, read once in ten seconds."""

import html
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.checks import run_checks
from django.test import Client

from logsite import queue_counts
from tests.conftest import client_of, make_user
from tests.dynamodb_calls import recorded_calls
from tests.factories import make_body
from tests.items import make_item, store
from tests.pages import LISTING, SCRIPT, fetch, link
from tests.queues import Queues

pytest_plugins = ["tests.sqs_server"]
pytestmark = pytest.mark.usefixtures("logs_table")

PAGE = f"{LISTING}freshness/"


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    cache.clear()
    queue_counts._client.cache_clear()
    yield
    cache.clear()
    queue_counts._client.cache_clear()


def fragment(client: Client) -> str:
    """Return the fragment."""
    response = client.get(PAGE, headers=SCRIPT)
    assert response.status_code == 200
    return response.content.decode().strip()


def line(client: Client) -> str:
    """Return the text of the fragment."""
    return html.unescape(re.sub("<[^>]+>", "", fragment(client)))


def add(seconds: float, **changes: Any) -> None:
    """Store a log that is so old."""
    moment = datetime.now(UTC) - timedelta(seconds=seconds)
    store([make_item(int(seconds) + 1000, created_at=moment, **changes)])


def test_line_is_read_once_in_ten_seconds(viewer_client: Client, settings: Any) -> None:
    calls: list[str] = []

    def counts() -> dict[str, int | None]:
        calls.append("counts")
        return {"waiting": 0, "dead_letters": 2, "other": 5}

    settings.LOGS_QUEUE_COUNTS = counts
    add(130)
    with recorded_calls() as requests:
        assert line(viewer_client) == "Newest received 2 min ago · nothing waiting · 2 dead letters"
        add(0)
        assert line(viewer_client) == "Newest received 2 min ago · nothing waiting · 2 dead letters"
    assert [operation for operation, _ in requests].count("Query") == 1
    assert calls == ["counts"]
    cache.clear()
    assert re.match(r"Newest received [0-9] s ago · ", line(viewer_client))


def test_parts_are_links_to_their_meaning(viewer_client: Client, settings: Any) -> None:
    settings.LOGS_QUEUE_COUNTS = lambda: {"waiting": 1_200, "dead_letters": 1}
    add(7_300)
    assert link(fetch(viewer_client, "?tz=Asia/Tokyo"), "How fresh are the logs?").endswith(
        "?tz=Asia%2FTokyo"
    )
    text = fragment(viewer_client)
    assert f'<a href="{LISTING}" title="' in text
    assert link(text, "1,200 waiting") == f"{PAGE}#waiting"
    assert link(text, "1 dead letter") == f"{PAGE}#dead-letters"
    page = viewer_client.get(f"{PAGE}?tz=Asia/Tokyo").content.decode()
    assert '<dt id="waiting">' in page
    assert '<dt id="dead-letters">' in page
    assert " JST" in page or "Tokyo" in page
    operator = make_user("operator", is_staff=True, permissions={"logs.view_log", "logs.replay_dead_letters"})
    assert link(fragment(client_of(operator)), "1 dead letter") == "/admin/logs/deadletter/"
    assert viewer_client.get(f"{PAGE}?nonsense=1").status_code == 302


def test_unknown_parts_are_silent(
    viewer_client: Client, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert line(viewer_client) == "No logs received"

    def fail() -> None:
        raise RuntimeError("no queue")

    for function in (None, fail, lambda: {"waiting": None}, lambda: {"waiting": "many"}, lambda: 5):
        cache.clear()
        settings.LOGS_QUEUE_COUNTS = function
        assert line(viewer_client) == "No logs received"
    failures = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert failures == ["LOGS_QUEUE_COUNTS failed"] * 3
    settings.LOGS_QUEUE_COUNTS = "tests.test_freshness.nothing"
    assert [error.id for error in run_checks() if "LOGS_QUEUE_COUNTS" in error.msg] == ["logs.E002"]


def test_own_accounts_are_not_the_newest(superuser_client: Client, settings: Any) -> None:
    settings.LOGS_QUEUE_COUNTS = None
    add(300)
    for seconds in range(10):
        add(seconds, account_id="_logsite")
    assert line(superuser_client) == "Newest received 5 min ago"
    for seconds in range(10, 40):
        add(seconds, account_id="_logsite")
    cache.clear()
    assert re.fullmatch(r"Newest received over 2\d s ago", line(superuser_client))


def test_site_counts_the_messages_of_both_queues(
    viewer_client: Client, queues: Queues, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.LOGS_QUEUE_URL, settings.LOGS_DEAD_LETTER_QUEUE_URL = queues.url, queues.dead_letter_url
    queues.send(make_body())
    assert line(viewer_client) == "No logs received · 1 waiting · no dead letters"
    settings.LOGS_QUEUE_URL, settings.LOGS_DEAD_LETTER_QUEUE_URL = f"{queues.url}-missing", ""
    cache.clear()
    with caplog.at_level(logging.WARNING):
        assert line(viewer_client) == "No logs received"
    assert "The messages of LOGS_QUEUE_URL cannot be counted" in caplog.text
