"""Tokens: printed once, kept as a hash, limited by the minute, and gone when they are revoked."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from pynamodb.signals import pre_dynamodb_send

from logsite.accounts import tokens
from logsite.accounts.store import TokenItem
from tests.api import LOGS, fetch, problem, program
from tests.items import make_item, store

pytestmark = pytest.mark.usefixtures("logs_table")


def a_name() -> str:
    return f"test-{uuid4().hex}"


def run(command: str, *arguments: str, **options: Any) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out, **options)
    return out.getvalue()


@contextmanager
def counted() -> Iterator[Counter[str]]:
    calls: Counter[str] = Counter()

    def note(sender: object, operation_name: str, **kwargs: object) -> None:
        calls[operation_name] += 1

    with pre_dynamodb_send.connected_to(note):
        yield calls


@pytest.mark.parametrize("verbosity", [0, 1])
def test_a_token_stands_alone_on_the_last_line_and_lets_in(verbosity: int) -> None:
    token = run("create_api_token", a_name(), verbosity=verbosity).splitlines()[-1]
    assert token.startswith("logsite_test-")
    assert " " not in token
    assert fetch(program(token))["items"] == []


def test_only_its_hash_is_kept() -> None:
    name = a_name()
    secret = tokens.create(name).rpartition(name)[2]
    kept = str(TokenItem.get(name).serialize())
    assert secret.strip("_") not in kept
    assert len(TokenItem.get(name).token_hash) == 64


def test_the_list_tells_names_and_times_and_no_token() -> None:
    name, other = a_name(), a_name()
    token = tokens.create(name)
    tokens.create(other, timedelta(days=3))
    program(token).get(LOGS)
    lines = [line for line in run("list_api_tokens").splitlines() if name in line or other in line]
    assert len(lines) == 2
    assert any("for ever" in line for line in lines)
    assert any("until" in line for line in lines)
    assert token not in "".join(lines)


def test_a_revoked_token_is_refused_from_the_next_request_on() -> None:
    name = a_name()
    client = program(tokens.create(name))
    fetch(client)
    run("revoke_api_token", name)
    problem(client, LOGS, 401)
    with pytest.raises(CommandError, match="There is no token"):
        run("revoke_api_token", name)


def test_an_expired_token_is_refused_before_ttl_deletes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    name = a_name()
    client = program(tokens.create(name, timedelta(seconds=-1)))
    problem(client, LOGS, 401)
    assert "(expired)" in run("list_api_tokens")


@pytest.mark.parametrize("name", ["", "A", "a_b", "a b", "#", "x" * 51, "é"])
def test_a_wrong_name_is_refused(name: str) -> None:
    with pytest.raises(CommandError, match="lower-case letters"):
        run("create_api_token", name)


def test_a_name_is_taken_once() -> None:
    name = a_name()
    token = tokens.create(name)
    with pytest.raises(CommandError, match=f"There is a token {name} already"):
        run("create_api_token", name)
    fetch(program(token))


@pytest.mark.parametrize("days", ["0", "-1", "99999999"])
def test_a_wrong_number_of_days_is_refused(days: str) -> None:
    with pytest.raises(CommandError, match="--expires must be from 1"):
        run("create_api_token", a_name(), f"--expires={days}")


def test_a_token_lets_nobody_into_the_admin() -> None:
    assert program().get("/admin/logs/log/").status_code == 302


def test_a_page_costs_a_look_at_the_token_and_two_counts() -> None:
    store(make_item(n) for n in range(60))
    client = program()
    with counted() as calls:
        fetch(client, f"{LOGS}?account_id=7")
    assert calls == {"GetItem": 1, "UpdateItem": 2, "Query": 1}


def test_too_many_requests_wait_for_the_next_minute(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LOGS_API_REQUESTS_PER_MINUTE = 2
    now = 1_800_000_015.0
    monkeypatch.setattr(tokens, "_now", lambda: now)
    client, other = program(), program()
    fetch(client)
    fetch(client)
    told = problem(client, LOGS, 429)
    assert told["code"] == "too_many_requests"
    assert "2 requests a minute" in told["message"]
    assert client.get(LOGS)["Retry-After"] == "46"
    fetch(other)
    monkeypatch.setattr(tokens, "_now", lambda: now + 46)
    fetch(client)


def test_too_many_items_wait_for_the_next_minute(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LOGS_API_EXAMINED_PER_MINUTE = 100
    store(make_item(n) for n in range(60))
    client = program()
    fetch(client)
    fetch(client)
    assert problem(client, LOGS, 429)["code"] == "too_many_requests"
    assert problem(client, f"{LOGS}/{make_item(1).id}", 429)
