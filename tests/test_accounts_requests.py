"""The number of DynamoDB calls of a request, besides those for logs."""

from collections.abc import Iterator

import pytest
from django.test import Client

from logsite.accounts.models import User
from logsite.accounts.store import SessionItem, UserItem
from tests.conftest import PASSWORD
from tests.dynamodb_calls import recorded_calls

Calls = list[tuple[str, str | None]]  # operation and table name
READ_SESSION = ("GetItem", SessionItem.Meta.table_name)
READ_USER = ("GetItem", UserItem.Meta.table_name)


@pytest.fixture
def calls() -> Iterator[Calls]:
    """Return a list that every DynamoDB call extends by its operation and table."""
    with recorded_calls() as calls:
        yield calls


def test_page_of_signed_in_user_costs_two_reads(viewer_client: Client, calls: Calls) -> None:
    viewer_client.get("/admin/")

    assert calls == [READ_SESSION, READ_USER]


def test_anonymous_request_costs_no_calls(calls: Calls) -> None:
    Client().get("/admin/")
    Client().get("/admin/login/")

    assert calls == []


def test_signing_in_costs_four_calls(viewer: User, calls: Calls) -> None:
    Client().post("/admin/login/", {"username": viewer.username, "password": PASSWORD})

    assert calls == [
        READ_USER,
        ("PutItem", SessionItem.Meta.table_name),
        ("UpdateItem", UserItem.Meta.table_name),
        ("PutItem", SessionItem.Meta.table_name),
    ]
