"""Errors under /api/ have one body and name the parameter. No request causes a 500."""

from typing import Any

import pytest
from django.test import Client
from pynamodb.models import Model

from logs import api_errors, reader
from logs.models import LogItem
from logsite.accounts.store import SessionItem, TokenItem, UserItem
from tests.api import LOGS, fetch, problem, program
from tests.items import make_item, store
from tests.proxy import proxied

pytestmark = pytest.mark.usefixtures("logs_table")


@pytest.mark.parametrize(
    ("query", "name", "words"),
    [
        ("colour=red", "colour", "There is no filter “colour”"),
        ("_changelist_filters=x", "_changelist_filters", "There is no filter"),
        ("e=1", "e", "There is no filter"),
        ("account_id=", "account_id", "empty"),
        ("account_id=7&account_id=", "account_id", "empty"),
        ("user_id=%20", "user_id", "empty"),
        ("-type=", "-type", "empty"),
        ("not_type=", "not_type", "empty"),
        ("not_url=x", "not_url", "There is no filter"),
        ("cursor=", "cursor", "empty"),
        ("limit=0", "limit", "from 1 to 200"),
        ("limit=201", "limit", "from 1 to 200"),
        ("limit=1e9", "limit", "whole number"),
        ("limit=-1", "limit", "from 1 to 200"),
        ("limit=x", "limit", "whole number"),
        ("limit=10&limit=20", "limit", "more than once"),
        ("from=2026-11-20&to=2026-11-19", "to", "after the beginning"),
        ("from=yesterday", "from", "is not a time"),
        ("to=2026-13-01", "to", "is not a time"),
        ("at=9999-12-31", "at", "year"),
        ("order=up", "order", "is not an order"),
        ("type=" + "x" * 10_000, "type", "over 500 bytes"),
        ("q=%00", "q", "Null characters"),
        ("q=%ED%A0%80", "q", "UTF-8"),
        ("account_id=%FF", "account_id", "UTF-8"),
        ("account_id=7%23login", "account_id", "never contains a “#”"),
        ("around=x", "around", "not the id of a log"),
        ("around=" + "0" * 32, "around", "There is no log"),
        ("at=2026-11-20&cursor=x", "at", "Give only one of at and cursor"),
        ("cursor=x", "cursor", "damaged"),
        ("payload_size_min=-1", "payload_size_min", "greater than or equal to 0"),
        ("&".join(f"account_id={n}" for n in range(51)), "account_id", "51 combinations"),
        ("&".join(f"type={n}" for n in range(51)), "type", "51 types make 51 combinations"),
        ("account_id=7&" + "&".join(f"type={n}" for n in range(51)), "type", "51 combinations"),
    ],
)
def test_bad_parameter_is_named(query: str, name: str, words: str) -> None:
    error = problem(program(), f"{LOGS}?{query}", 400)
    assert error["code"] == "bad_request"
    assert list(error["fields"]) == [name]
    assert words in " ".join(error["fields"][name])
    assert name in error["message"]


def test_combinations_are_an_error_at_both_parameters() -> None:
    query = "&".join(f"{name}={n}" for name, count in (("account_id", 8), ("type", 7)) for n in range(count))
    error = problem(program(), f"{LOGS}?{query}", 400)
    assert list(error["fields"]) == ["account_id", "type"]
    assert "8 accounts and 7 types make 56 combinations" in error["fields"]["type"][0]


def test_detail_rejects_parameters() -> None:
    store([make_item(1)])
    assert list(problem(program(), f"{LOGS}/{make_item(1).id}?limit=1", 400)["fields"]) == ["limit"]


def test_bad_parameters_are_all_named() -> None:
    assert set(problem(program(), f"{LOGS}?limit=0&from=x&order=y", 400)["fields"]) == {
        "limit",
        "from",
        "order",
    }


def next_cursor(query: str = "") -> str:
    cursor: str = fetch(program(), f"{LOGS}?limit=1{query}")["next"]
    return cursor


@pytest.mark.parametrize("kind", ["truncated", "other_filter", "other_secret", "older_version"])
def test_invalid_cursor_is_rejected(kind: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store(make_item(n) for n in range(3))
    if kind == "older_version":
        monkeypatch.setattr("logs.cursor.VERSION", 1)
    cursor = next_cursor("&account_id=7" if kind == "other_filter" else "")
    monkeypatch.undo()
    if kind == "other_secret":
        settings.SECRET_KEY = "another"
        settings.SECRET_KEY_FALLBACKS = []
    if kind == "truncated":
        cursor = cursor[: len(cursor) // 2]
    assert list(problem(program(), f"{LOGS}?limit=1&cursor={cursor}", 400)["fields"]) == ["cursor"]


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer x", "Bearer logsite_x_y", "Basic eDp5", "Bearer \xff"]
)
@pytest.mark.parametrize("address", [LOGS, f"{LOGS}/{'0' * 32}", "/api/openapi.json"])
def test_missing_or_bad_token_is_unauthorized(authorization: str, address: str) -> None:
    client = Client(headers={"authorization": authorization})
    assert problem(client, address, 401)["code"] == "unauthorized"
    assert client.get(address)["WWW-Authenticate"] == "Bearer"


def test_session_requires_view_permission(
    viewer_client: Client, staff_client: Client, stranger_client: Client
) -> None:
    assert fetch(viewer_client)["items"] == []
    for client in (staff_client, stranger_client):
        assert problem(client, LOGS, 403)["code"] == "forbidden"


@pytest.mark.parametrize("log_id", ["0" * 32, "x", "0" * 10_000, "%00", "%ED%A0%80", "choices"])
def test_unknown_log_is_404(log_id: str) -> None:
    assert problem(program(), f"{LOGS}/{log_id}", 404)["code"] == "not_found"


@pytest.mark.parametrize(
    "address", ["/api/", "/api/nothing", "/api/logs/a/b", "/api/logs/a/b/", "/api/docs/"]
)
def test_unknown_path_is_404(address: str) -> None:
    assert problem(program(), address, 404)["code"] == "not_found"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("address", [LOGS, f"{LOGS}/", f"{LOGS}/{'0' * 32}"])
def test_write_method_is_405(method: str, address: str) -> None:
    response = program().generic(method, address)
    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD"
    assert response.json()["error"]["code"] == "method_not_allowed"


@pytest.mark.parametrize("model", [LogItem, TokenItem])
def test_missing_table_is_503_with_a_token(model: type[Model], monkeypatch: pytest.MonkeyPatch) -> None:
    client = program()
    monkeypatch.setattr(model.Meta, "table_name", "NoSuchTable")
    assert problem(client, LOGS, 503)["code"] == "unavailable"
    assert int(client.get(LOGS)["Retry-After"]) > 0


@pytest.mark.parametrize("model", [SessionItem, UserItem])
def test_missing_table_is_503_with_a_session(
    viewer_client: Client, model: type[Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model.Meta, "table_name", "NoSuchTable")
    assert problem(viewer_client, LOGS, 503)["code"] == "unavailable"


def test_persistent_throttling_is_503() -> None:
    client = program()
    with proxied(lambda operation: "ThrottlingException"):
        assert problem(client, LOGS, 503)["code"] == "unavailable"


def test_unexpected_error_is_500_without_details(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(reader, "read_page", fail)
    error = problem(program(), LOGS, 500)
    assert error == {"code": "internal_error", "message": api_errors.MESSAGES[500], "fields": {}}


def test_response_has_no_cors_headers() -> None:
    response = program().get(LOGS, headers={"origin": "https://evil.example"})
    assert not [name for name in response.headers if name.lower().startswith("access-control")]


def test_parameter_limit_is_named(viewer_client: Client) -> None:
    error = problem(
        viewer_client, LOGS + "?" + "&".join(f"account_id={number}" for number in range(1_001)), 400
    )
    assert "DATA_UPLOAD_MAX_NUMBER_FIELDS" in error["message"]
