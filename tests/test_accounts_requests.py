"""The number of DynamoDB calls of a request, besides those for logs."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from logs.storage import dynamodb
from logsite.accounts import prefetch
from logsite.accounts.models import User
from logsite.accounts.store import SessionItem, UserItem
from tests.conftest import PASSWORD
from tests.dynamodb_calls import recorded_calls

Calls = list[tuple[str, str | None]]  # operation and table name
READ_SESSION = ("GetItem", SessionItem.Meta.table_name)
READ_USER = ("GetItem", UserItem.Meta.table_name)
READ_BOTH = ("BatchGetItem", None)
PAGE = "/admin/password_change/"


def parts_of_cookie(client: Client) -> tuple[str, str]:
    """Return the session's key and the user's name, as the cookie encodes it."""
    key, _, name = client.cookies["sessionid"].value.partition(".")
    return key, name


@pytest.fixture
def calls() -> Iterator[Calls]:
    """Return a list that every DynamoDB call extends by its operation and table."""
    with recorded_calls() as calls:
        yield calls


def test_session_and_user_are_one_request(viewer_client: Client, calls: Calls) -> None:
    assert viewer_client.get(PAGE).status_code == 200

    assert calls == [READ_BOTH]


def test_cookie_without_a_name_costs_two_reads(viewer_client: Client, calls: Calls) -> None:
    viewer_client.cookies["sessionid"], _ = parts_of_cookie(viewer_client)

    assert viewer_client.get(PAGE).status_code == 200
    assert calls == [READ_SESSION, READ_USER]


@pytest.mark.parametrize("name", ["another", "", "*", "=", "AA", "\xff", "n" * 4_000, "é"])
def test_name_in_a_cookie_gives_no_rights(
    viewer_client: Client, superuser_client: Client, calls: Calls, name: str
) -> None:
    key, _ = parts_of_cookie(viewer_client)
    hint = parts_of_cookie(superuser_client)[1] if name == "another" else name
    viewer_client.cookies["sessionid"] = f"{key}.{hint}"
    calls.clear()

    response = viewer_client.get(PAGE)

    assert response.status_code == 200
    assert not response.wsgi_request.user.is_superuser
    assert calls[-1] == READ_USER
    viewer_client.cookies["sessionid"] = f"{'0' * 32}.{hint}"
    assert viewer_client.get(PAGE).status_code == 302


def test_throttled_keys_are_read_one_by_one(
    viewer_client: Client, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave_unprocessed(parsed: dict[str, Any], **_: Any) -> None:
        tables = parsed["Responses"]
        parsed["UnprocessedKeys"] = {table: {} for table in tables}
        tables.clear()

    events = dynamodb.shared_connection().client.meta.events
    events.register("after-call.dynamodb.BatchGetItem", leave_unprocessed)
    try:
        assert viewer_client.get(PAGE).status_code == 200
    finally:
        events.unregister("after-call.dynamodb.BatchGetItem", leave_unprocessed)
    assert calls == [READ_BOTH, READ_SESSION, READ_USER]


def test_deleted_user_is_signed_out(viewer: User, viewer_client: Client) -> None:
    viewer.delete()

    assert viewer_client.get(PAGE).status_code == 302


def test_user_is_not_kept_between_requests(viewer: User, viewer_client: Client) -> None:
    viewer_client.get(PAGE)

    assert prefetch.take(viewer.username) is None
    with prefetch.started():
        prefetch.put(UserItem.get(viewer.username))
        assert prefetch.take("another") is None
        assert prefetch.take(viewer.username)
        assert prefetch.take(viewer.username) is None


def test_anonymous_request_costs_no_calls(calls: Calls) -> None:
    Client().get(PAGE)
    Client().get("/admin/login/")

    assert calls == []


def test_signing_in_costs_eight_calls(viewer: User, calls: Calls) -> None:
    Client().post("/admin/login/", {"username": viewer.username, "password": PASSWORD})

    count = ("UpdateItem", SessionItem.Meta.table_name)
    assert calls == [
        count,  # the address
        count,  # the user name
        READ_USER,
        ("DeleteItem", SessionItem.Meta.table_name),  # the failures of the user name
        count,  # the address again
        ("PutItem", SessionItem.Meta.table_name),
        ("UpdateItem", UserItem.Meta.table_name),
        ("PutItem", SessionItem.Meta.table_name),
    ]
