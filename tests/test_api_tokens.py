"""API tokens: printed once, stored as a hash, rate-limited, revoked by deletion."""

from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from logsite.accounts import tokens
from logsite.accounts.store import TokenItem
from tests.api import LOGS, fetch, problem, program
from tests.dynamodb_calls import counted_calls
from tests.items import make_item, store

pytestmark = pytest.mark.usefixtures("logs_table")


def token_name() -> str:
    """Return a unique name."""
    return f"test-{uuid4().hex}"


def run(command: str, *arguments: str, **options: Any) -> str:
    """Return the standard output of a management command."""
    out = StringIO()
    call_command(command, *arguments, stdout=out, **options)
    return out.getvalue()


@pytest.mark.parametrize("verbosity", [0, 1])
def test_token_is_alone_on_the_last_line(verbosity: int) -> None:
    token = run("create_api_token", token_name(), verbosity=verbosity).splitlines()[-1]
    assert token.startswith("logsite_test-")
    assert " " not in token
    assert fetch(program(token))["items"] == []


def test_only_the_hash_is_stored() -> None:
    name = token_name()
    secret = tokens.create(name).rpartition(name)[2]
    stored = str(TokenItem.get(name).serialize())
    assert secret.strip("_") not in stored
    assert len(TokenItem.get(name).token_hash) == 64


def test_list_shows_names_and_times_but_no_token() -> None:
    name, other = token_name(), token_name()
    token = tokens.create(name)
    tokens.create(other, timedelta(days=3))
    program(token).get(LOGS)
    lines = [line for line in run("list_api_tokens").splitlines() if name in line or other in line]
    assert len(lines) == 2
    assert any("never expires" in line for line in lines)
    assert any(", expires " in line for line in lines)
    assert token not in "".join(lines)


def test_revoked_token_is_refused_at_once() -> None:
    name = token_name()
    client = program(tokens.create(name))
    fetch(client)
    run("revoke_api_token", name)
    problem(client, LOGS, 401)
    with pytest.raises(CommandError, match="There is no token"):
        run("revoke_api_token", name)


def test_expired_token_is_refused_before_ttl_deletes_it() -> None:
    name = token_name()
    client = program(tokens.create(name, timedelta(seconds=-1)))
    problem(client, LOGS, 401)
    assert "(expired)" in run("list_api_tokens")


@pytest.mark.parametrize("name", ["", "A", "a_b", "a b", "#", "x" * 51, "é"])
def test_invalid_name_is_refused(name: str) -> None:
    with pytest.raises(CommandError, match="lower-case letters"):
        run("create_api_token", name)


def test_existing_name_is_refused() -> None:
    name = token_name()
    token = tokens.create(name)
    with pytest.raises(CommandError, match=f"The token {name} exists"):
        run("create_api_token", name)
    fetch(program(token))


@pytest.mark.parametrize("days", ["0", "-1", "99999999"])
def test_invalid_number_of_days_is_refused(days: str) -> None:
    with pytest.raises(CommandError, match="--expires must be from 1"):
        run("create_api_token", token_name(), f"--expires={days}")


def test_token_does_not_open_the_admin() -> None:
    assert program().get("/admin/logs/log/").status_code == 302


def test_page_costs_one_token_read_and_two_counts() -> None:
    store(make_item(n) for n in range(60))
    client = program()
    with counted_calls() as calls:
        fetch(client, f"{LOGS}?account_id=7")
    assert calls == {"GetItem": 1, "UpdateItem": 2, "Query": 1}


def test_request_limit_resets_after_a_minute(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LOGS_API_REQUESTS_PER_MINUTE = 2
    now = 1_800_000_015.0
    monkeypatch.setattr(tokens, "_now", lambda: now)
    client, other = program(), program()
    fetch(client)
    fetch(client)
    error = problem(client, LOGS, 429)
    assert error["code"] == "too_many_requests"
    assert "2 requests a minute" in error["message"]
    assert client.get(LOGS)["Retry-After"] == "46"
    fetch(other)
    monkeypatch.setattr(tokens, "_now", lambda: now + 46)
    fetch(client)


def test_examined_limit_refuses_further_requests(settings: Any) -> None:
    settings.LOGS_API_EXAMINED_PER_MINUTE = 100
    store(make_item(n) for n in range(60))
    client = program()
    fetch(client)
    fetch(client)
    assert problem(client, LOGS, 429)["code"] == "too_many_requests"
    assert problem(client, f"{LOGS}/{make_item(1).id}", 429)
