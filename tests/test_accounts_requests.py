"""What a request costs in calls to DynamoDB, before it has read a single log."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pynamodb.signals import pre_dynamodb_send

from logsite.accounts.models import User
from logsite.accounts.store import SessionItem, UserItem
from tests.conftest import PASSWORD

READ_SESSION = ("GetItem", SessionItem.Meta.table_name)
READ_USER = ("GetItem", UserItem.Meta.table_name)


@pytest.fixture
def calls() -> Iterator[list[tuple[str, str]]]:
    """Return the list of calls, by operation and table, that grows as they are made."""
    made: list[tuple[str, str]] = []

    def note(sender: object, operation_name: str, table_name: str, **_: Any) -> None:
        made.append((operation_name, table_name))

    with pre_dynamodb_send.connected_to(note):
        yield made


def test_a_signed_in_user_costs_two_reads(viewer_client: Client, calls: list[tuple[str, str]]) -> None:
    viewer_client.get("/admin/")

    assert calls == [READ_SESSION, READ_USER]


def test_someone_unknown_costs_nothing(calls: list[tuple[str, str]]) -> None:
    Client().get("/admin/")
    Client().get("/admin/login/")

    assert calls == []


def test_signing_in_reads_the_user_and_writes_the_session(viewer: User, calls: list[tuple[str, str]]) -> None:
    Client().post("/admin/login/", {"username": viewer.username, "password": PASSWORD})

    assert calls == [
        READ_USER,
        ("PutItem", SessionItem.Meta.table_name),
        ("UpdateItem", UserItem.Meta.table_name),
        ("PutItem", SessionItem.Meta.table_name),
    ]
