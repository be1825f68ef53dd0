"""All DynamoDB requests of a page share one deadline: none starts after it."""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from pynamodb.signals import post_dynamodb_send

from logs import views
from logs.filters import LogFilter
from logs.models import LogItem
from logs.plan import make_plan
from logs.reading.budget import Budget
from logs.reading.page import PageRead
from logs.storage import deadline
from logsite.accounts import tokens
from tests.api import LOGS, program
from tests.clock import Clock
from tests.items import make_item, store
from tests.pages import LISTING
from tests.proxy import proxied

pytestmark = pytest.mark.usefixtures("logs_table")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock[float]:
    """Replace the clock of the deadline and of pages."""
    clock = Clock(0.0)
    monkeypatch.setattr(deadline, "now", clock)
    return clock


@pytest.fixture
def responses(clock: Clock[float]) -> Iterator[list[tuple[str, str | None]]]:
    """Let each response of DynamoDB take 2.8 s. Collect operation and table name of each response."""
    responses: list[tuple[str, str | None]] = []

    def receive(sender: object, operation_name: str, table_name: str | None, **kwargs: object) -> None:
        clock.now += 2.8
        responses.append((operation_name, table_name))

    with post_dynamodb_send.connected_to(receive):
        yield responses


SESSION_AND_USER = ("BatchGetItem", None)


def test_session_and_user_count_against_a_search(
    viewer_client: Client, responses: list[Any], clock: Clock[float]
) -> None:
    store(make_item(n) for n in range(3_000))
    responses.clear()
    clock.now = 0
    response = viewer_client.get(f"{LISTING}?sub_type=nobody")
    assert response.status_code == 200
    assert not response.context["listing"].page.complete
    assert responses == [SESSION_AND_USER, ("Query", LogItem.Meta.table_name)]
    assert clock.now < 10


def test_session_and_user_count_within_a_text_search(clock: Clock[float]) -> None:
    store(make_item(n, payload=f"text {n}", payload_size=6) for n in range(5))
    with deadline.started():
        clock.now += 4
        read = PageRead(make_plan(LogFilter(q="text")), Budget(seconds=5))
        assert not read.is_spent_on_payloads
        clock.now += 1.5
        assert read.is_spent_on_payloads
        page = read.page(None, 10)
    assert len(page.items) == 1
    assert not page.complete


def test_no_retry_starts_after_the_deadline(viewer_client: Client, clock: Clock[float]) -> None:
    attempts: Counter[str] = Counter()

    def throttle(operation: str) -> str:
        attempts[operation] += 1
        clock.now += 7
        return "ThrottlingException"

    with proxied(throttle):
        response = viewer_client.get(LISTING)
    assert response.status_code == 503
    assert attempts == {"Query": 1}


def test_no_read_of_logs_starts_after_the_deadline(
    viewer_client: Client, responses: list[Any], clock: Clock[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    responses.clear()
    monkeypatch.setattr(deadline, "LAST_START_SECONDS", 2)
    response = viewer_client.get(LISTING)
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert responses == [SESSION_AND_USER]


def test_next_request_has_its_own_deadline(
    viewer_client: Client, responses: list[Any], clock: Clock[float]
) -> None:
    for _ in range(3):
        assert viewer_client.get(LISTING).status_code == 200


def test_slow_usage_count_does_not_fail_the_api(responses: list[Any]) -> None:
    client = program(tokens.create(f"test-{uuid4().hex}"))
    responses.clear()
    assert client.get(LOGS).status_code == 200
    assert [operation for operation, _ in responses] == ["GetItem", "UpdateItem", "Query"]


def test_stream_of_an_export_is_not_limited(
    viewer_client: Client, responses: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "PAGE_ROWS", 200)
    store(make_item(n) for n in range(500))
    responses.clear()
    response = viewer_client.get(f"{LISTING}export/?format=ndjson")
    body = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]  # of a streaming response
    assert body.count("\n") == 501
    assert len(responses) == 4


def test_command_has_no_deadline(clock: Clock[float]) -> None:
    clock.now = 1_000_000
    store([make_item(1)])
    assert deadline.elapsed() == 0
