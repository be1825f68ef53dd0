"""Retries are bounded if DynamoDB throttles, is slow or is unreachable. The admin shows a 503."""

import threading
from collections import Counter

import pytest
from django.test import Client

from logs import reader
from logs.filters import LogFilter
from logs.plan import make_plan
from logs.reading import page
from logs.storage.errors import StoreUnavailable
from tests.items import make_item, store
from tests.pages import LISTING
from tests.proxy import proxied

pytestmark = pytest.mark.usefixtures("logs_table")


def test_brief_throttling_is_retried(viewer_client: Client) -> None:
    store([make_item(1)])
    attempts: Counter[str] = Counter()

    def once(operation: str) -> str | None:
        attempts[operation] += 1
        return "ProvisionedThroughputExceededException" if attempts[operation] == 1 else None

    with proxied(once):
        response = viewer_client.get(LISTING)
    assert response.status_code == 200
    assert "/login" in response.content.decode()
    assert attempts == {"Query": 2}


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "ThrottlingException"])
def test_persistent_throttling_is_503_after_three_attempts(
    viewer_client: Client, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    attempts: Counter[str] = Counter()

    def always(operation: str) -> str | None:
        attempts[operation] += 1
        return code

    with proxied(always):
        response = viewer_client.get(LISTING)
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert "The database does not answer." in response.content.decode()
    assert attempts == {"Query": 3}
    # The runbook searches for this line.
    [line] = [line for line in caplog.messages if line.startswith("DynamoDB is unavailable: ")]
    assert code in line


def test_hanging_request_ends_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    store(make_item(n) for n in range(500))
    released = threading.Event()
    requests: Counter[str] = Counter()

    def hang(operation: str) -> None:
        requests[operation] += 1
        if requests["Query"] > 1:
            released.wait(20)

    with proxied(hang):
        try:
            # Outside the limit, so that a busy machine has time to make the client.
            reader.get("0" * 32)
            monkeypatch.setattr(page, "MAX_SECONDS", 2.5)  # below the read timeout of 3 s
            with pytest.raises(StoreUnavailable):
                reader.read_page(make_plan(LogFilter(sub_type=("nobody",))), None, 10)
            assert not released.is_set()
            assert requests["Query"] == 2
        finally:
            released.set()


def test_hanging_payload_request_ends_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    store(make_item(n, payload=f"text {n}", payload_size=6) for n in range(5))
    released = threading.Event()

    def hang(operation: str) -> None:
        if operation == "BatchGetItem":
            released.wait(20)

    with proxied(hang):
        try:
            reader.get("0" * 32)
            monkeypatch.setattr(page, "MAX_SECONDS", 2.5)  # below the read timeout of 3 s
            with pytest.raises(StoreUnavailable):
                reader.read_page(make_plan(LogFilter(q="text")), None, 10)
        finally:
            released.set()
