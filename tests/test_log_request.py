"""`log_request`: the fields that come from a Django request."""

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
    recording_client = RecordingClient()
    monkeypatch.setattr(django, "client", lambda: recording_client)
    return recording_client


@pytest.fixture
def _new_client() -> Iterator[None]:
    django.client.cache_clear()
    yield
    django.client.cache_clear()


def make_request(user: Any = None, **headers: str) -> HttpRequest:
    request = RequestFactory(headers=headers).get("/cart", {"page": "2"})
    somebody: Any = user or SimpleNamespace(is_authenticated=False, pk=None)
    request.user = somebody
    return request


def test_log_request_fills_fields_from_the_request(recording: RecordingClient) -> None:
    key = uuid.uuid4()
    user = SimpleNamespace(
        is_authenticated=True, pk=key, account_id=7, account_name="Acme", get_username=lambda: "ann"
    )
    request = make_request(
        user,
        **{
            "User-Agent": CHROME,
            "CloudFront-Viewer-Country-Name": "Bulgaria",
            "CloudFront-Viewer-Country": "BG",
            "CloudFront-Viewer-City": "Sofia",
            "X-Request-ID": "from-the-proxy",
            "X-Amzn-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793",
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
        "submitter_ip": "127.0.0.1",
        "user_name": "ann",
        "account_name": "Acme",
        "request_id": "from-the-proxy",
        "trace_id": "5759e988bd862e3fe1be46a994272793",
        "shop": "x",
    }


def test_anonymous_request_has_user_zero(recording: RecordingClient) -> None:
    django.log_request(make_request(), type="visit")
    [log] = recording.logs
    assert (log["account_id"], log["user_id"], log["submitter_id"]) == (0, 0, None)
    assert (log["submitter_platform"], log["submitter_browser"], log["submitter_agent"]) == (None, None, None)


def test_log_request_works_without_authentication_middleware(recording: RecordingClient) -> None:
    django.log_request(RequestFactory().get("/"), type="visit")
    assert recording.logs[0]["user_id"] == 0


@async_unsafe("the session is in the database")
def read_the_session() -> Any:
    return SimpleNamespace(is_authenticated=True, pk=5)


@pytest.mark.parametrize(("fields", "user_id"), [({}, 0), ({"user_id": 9}, 9)])
def test_async_view_with_a_lazy_user_does_not_break(
    recording: RecordingClient, caplog: pytest.LogCaptureFixture, fields: dict[str, Any], user_id: int
) -> None:
    async def view() -> None:
        request = make_request()
        lazy: Any = SimpleLazyObject(read_the_session)
        request.user = lazy
        django.log_request(request, type="visit", **fields)

    asyncio.run(view())

    assert recording.logs[0]["user_id"] == user_id
    assert ("pass user_id=" in caplog.text) is (not fields)


def test_explicit_fields_override_the_request(recording: RecordingClient) -> None:
    django.log_request(make_request(), type="login", account_id=8, user_id=9, url="/elsewhere")
    [log] = recording.logs
    assert (log["account_id"], log["user_id"], log["url"]) == (8, 9, "/elsewhere")


@override_settings(LOGS_COUNTRY_HEADER="X-Country", LOGS_CITY_HEADER="X-City")
def test_header_settings_name_other_headers(recording: RecordingClient) -> None:
    headers = {"X-Country": "France", "X-City": "Lyon", "CloudFront-Viewer-Country": "BG"}
    django.log_request(make_request(**headers), type="visit")
    assert recording.logs[0]["submitter_country"] == "France"
    assert recording.logs[0]["submitter_city"] == "Lyon"


@pytest.mark.parametrize("agent", ["", "\x00\udcff", "(" * 5000, "Mozilla/5.0 (" + ";" * 9999])
def test_malicious_user_agent_is_harmless(recording: RecordingClient, agent: str) -> None:
    request = make_request()
    request.META["HTTP_USER_AGENT"] = agent
    django.log_request(request, type="visit")
    assert len(recording.logs) == 1


@pytest.mark.usefixtures("_new_client")
@override_settings(LOGS_QUEUE_URL="http://127.0.0.1/1/mine", DEBUG=True, LOGS_CLIENT_OPTIONS={"max_logs": 5})
def test_client_is_created_once_from_the_settings() -> None:
    client = django.client()
    assert client is django.client()
    assert client.queue_url == "http://127.0.0.1/1/mine"
    assert client.strict is True
    client.close()


@pytest.mark.usefixtures("_new_client")
def test_queue_url_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGS_QUEUE_URL", "http://127.0.0.1/1/other")
    client = django.client()
    assert client.queue_url == "http://127.0.0.1/1/other"
    assert client.strict is False
    client.close()
