"""`log_request`: what a request of Django's says of itself."""

import asyncio
import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import RequestFactory, override_settings
from django.utils.asyncio import async_unsafe
from django.utils.functional import SimpleLazyObject

from ingest import django
from ingest.testing import RecordingClient

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0"


@pytest.fixture
def recording(monkeypatch: pytest.MonkeyPatch) -> RecordingClient:
    made = RecordingClient()
    monkeypatch.setattr(django, "client", lambda: made)
    return made


@pytest.fixture
def _made_anew() -> Iterator[None]:
    django.client.cache_clear()
    yield
    django.client.cache_clear()


def a_request(user: Any = None, **headers: str) -> HttpRequest:
    request = RequestFactory(headers=headers).get("/cart", {"page": "2"})
    somebody: Any = user or SimpleNamespace(is_authenticated=False, pk=None)
    request.user = somebody
    return request


def test_it_fills_what_the_request_says(recording: RecordingClient) -> None:
    key = uuid.uuid4()
    user = SimpleNamespace(is_authenticated=True, pk=key, account_id=7)
    request = a_request(
        user,
        **{
            "User-Agent": CHROME,
            "CloudFront-Viewer-Country-Name": "Bulgaria",
            "CloudFront-Viewer-Country": "BG",
            "CloudFront-Viewer-City": "Sofia",
        },
    )

    log_id = django.log_request(request, type="cart", sub_type="view", payload={"a": 1}, shop="x")

    [log] = recording.logs
    del log["created_at"]
    assert log == {
        "id": log_id,
        "account_id": 7,
        "user_id": str(key),
        "type": "cart",
        "sub_type": "view",
        "url": "/cart?page=2",
        "payload": {"a": 1},
        "submitter_id": str(key),
        "submitter_country": "Bulgaria",
        "submitter_city": "Sofia",
        "submitter_platform": "Windows",
        "submitter_browser": "Chrome",
        "submitter_agent": CHROME,
        "shop": "x",
    }


def test_nobody_signed_in_is_no_one(recording: RecordingClient) -> None:
    django.log_request(a_request(), type="visit")
    [log] = recording.logs
    assert (log["account_id"], log["user_id"], log["submitter_id"]) == (0, 0, None)
    assert (log["submitter_platform"], log["submitter_browser"], log["submitter_agent"]) == (None, None, None)


def test_without_the_authentication_middleware_it_works_too(recording: RecordingClient) -> None:
    django.log_request(RequestFactory().get("/"), type="visit")
    assert recording.logs[0]["user_id"] == 0


@async_unsafe("the session is in the database")
def read_the_session() -> Any:
    return SimpleNamespace(is_authenticated=True, pk=5)


@pytest.mark.parametrize(("fields", "user_id"), [({}, 0), ({"user_id": 9}, 9)])
def test_an_async_view_whose_user_is_not_read_yet_is_not_broken(
    recording: RecordingClient, caplog: pytest.LogCaptureFixture, fields: dict[str, Any], user_id: int
) -> None:
    async def view() -> None:
        request = a_request()
        lazy: Any = SimpleLazyObject(read_the_session)
        request.user = lazy
        django.log_request(request, type="visit", **fields)

    asyncio.run(view())

    assert recording.logs[0]["user_id"] == user_id
    assert ("pass user_id=" in caplog.text) is (not fields)


def test_what_is_passed_wins(recording: RecordingClient) -> None:
    django.log_request(a_request(), type="login", account_id=8, user_id=9, url="/elsewhere")
    [log] = recording.logs
    assert (log["account_id"], log["user_id"], log["url"]) == (8, 9, "/elsewhere")


@override_settings(LOGS_COUNTRY_HEADER="X-Country", LOGS_CITY_HEADER="X-City")
def test_the_headers_can_be_named(recording: RecordingClient) -> None:
    headers = {"X-Country": "France", "X-City": "Lyon", "CloudFront-Viewer-Country": "BG"}
    django.log_request(a_request(**headers), type="visit")
    assert recording.logs[0]["submitter_country"] == "France"
    assert recording.logs[0]["submitter_city"] == "Lyon"


@pytest.mark.parametrize("agent", ["", "\x00\udcff", "(" * 5000, "Mozilla/5.0 (" + ";" * 9999])
def test_an_attackers_header_harms_nothing(recording: RecordingClient, agent: str) -> None:
    request = a_request()
    request.META["HTTP_USER_AGENT"] = agent
    django.log_request(request, type="visit")
    assert len(recording.logs) == 1


@pytest.mark.usefixtures("_made_anew")
@override_settings(LOGS_QUEUE_URL="http://127.0.0.1/1/mine", DEBUG=True, LOGS_CLIENT_OPTIONS={"max_logs": 5})
def test_the_client_is_made_of_the_settings_once() -> None:
    made = django.client()
    assert made is django.client()
    assert made.queue_url == "http://127.0.0.1/1/mine"
    assert made.strict is True
    made.close()


@pytest.mark.usefixtures("_made_anew")
def test_the_environment_may_name_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGS_QUEUE_URL", "http://127.0.0.1/1/other")
    made = django.client()
    assert made.queue_url == "http://127.0.0.1/1/other"
    assert made.strict is False
    made.close()
