"""API tokens: printed once, stored as a hash, rate-limited, revoked by deletion."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from logs import reader
from logs.storage.errors import StoreUnavailable
from logsite.accounts import rate_limit, tokens
from logsite.accounts.models import User
from logsite.accounts.store import TokenItem, UsageItem
from tests.api import LOGS, fetch, problem, program, token_name
from tests.conftest import client_of
from tests.dynamodb_calls import counted_calls
from tests.items import make_item, store

pytestmark = pytest.mark.usefixtures("logs_table")


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
    tokens.create(other, None)
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


@pytest.mark.parametrize("days", ["-1", "99999999", "1.5", "٣", "tomorrow"])
def test_invalid_number_of_days_is_refused(days: str) -> None:
    with pytest.raises(CommandError, match="--expires must be from 1"):
        run("create_api_token", token_name(), f"--expires={days}")


def test_token_expires_after_a_year_by_default() -> None:
    name = token_name()
    run("create_api_token", name)
    expires_at = TokenItem.get(name).expires_at
    assert expires_at
    assert abs(expires_at - datetime.now(UTC) - timedelta(days=365)) < timedelta(minutes=1)


@pytest.mark.parametrize("never", ["never", "0"])
def test_token_without_expiry_must_be_requested(never: str) -> None:
    name = token_name()
    run("create_api_token", name, f"--expires={never}")
    assert TokenItem.get(name).expires_at is None


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
    monkeypatch.setattr(rate_limit, "_now", lambda: now)
    client, other = program(), program()
    fetch(client)
    fetch(client)
    error = problem(client, LOGS, 429)
    assert error["code"] == "too_many_requests"
    assert "2 requests a minute" in error["message"]
    assert client.get(LOGS)["Retry-After"] == "46"
    fetch(other)
    monkeypatch.setattr(rate_limit, "_now", lambda: now + 46)
    fetch(client)


@pytest.mark.usefixtures("one_minute")
def test_examined_limit_refuses_further_requests(settings: Any) -> None:
    settings.LOGS_API_EXAMINED_PER_MINUTE = 100
    store(make_item(n) for n in range(60))
    client = program()
    fetch(client)
    fetch(client)
    assert problem(client, LOGS, 429)["code"] == "too_many_requests"
    assert problem(client, f"{LOGS}/{make_item(1).id}", 429)


@pytest.fixture
def one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock of the limits, so that all requests of the test are in one minute."""
    now = time.time()
    monkeypatch.setattr(rate_limit, "_now", lambda: now)


@pytest.fixture
def usage(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], UsageItem]:
    """Stop the clock of the limits. Return the function that reads the usage under a name."""
    monkeypatch.setattr(rate_limit, "_now", lambda: 1_800_000_015.0)
    return lambda name: UsageItem.get(f"{name}#{1_800_000_015 // 60}", consistent_read=True)


def test_usage_is_the_actual_cost(usage: Callable[[str], UsageItem]) -> None:
    store(make_item(n) for n in range(60))
    name = token_name()
    client = program(tokens.create(name))
    page = fetch(client)
    fetch(client, "/api/openapi.json")
    problem(client, f"{LOGS}?limit=x", 400)
    assert usage(name).requests == 3
    assert usage(name).examined == page["examined"] == 51
    assert usage(name).read_units == pytest.approx(page["read_units"])


def test_single_log_counts_with_its_read_units(usage: Callable[[str], UsageItem]) -> None:
    store([make_item(1, document=bytes(100_000)), make_item(2)])
    name = token_name()
    client = program(tokens.create(name))
    client.get(f"{LOGS}/{make_item(2).id}")
    assert (usage(name).examined, usage(name).read_units) == (1, 0.5)
    problem(client, f"{LOGS}/{make_item(3).id}", 404)
    assert (usage(name).examined, usage(name).read_units) == (2, 1)


def test_read_units_are_limited(settings: Any) -> None:
    settings.LOGS_API_READ_UNITS_PER_MINUTE = 2
    store([make_item(n) for n in range(5)])
    client = program()
    for n in range(4):
        fetch(client, f"{LOGS}/{make_item(n).id}")
    assert "2 read units" in problem(client, f"{LOGS}/{make_item(4).id}", 429)["message"]
    problem(client, LOGS, 429)


def test_concurrent_requests_exceed_by_one_page_at_most(
    settings: Any, usage: Callable[[str], UsageItem]
) -> None:
    settings.LOGS_API_EXAMINED_PER_MINUTE = 200
    settings.LOGS_MAX_EXAMINED = bound = 300
    store(make_item(n) for n in range(400))
    name = token_name()
    token = tokens.create(name)
    with ThreadPoolExecutor(20) as pool:
        address = f"{LOGS}?sub_type=nobody"
        responses = list(pool.map(lambda _: program(token).get(address), range(20)))
    examined = sum(response.json()["examined"] for response in responses if response.status_code == 200)
    assert {response.status_code for response in responses} == {200, 429}
    assert 0 < examined < 200 + bound
    assert usage(name).examined == examined


@pytest.mark.usefixtures("one_minute")
def test_concurrent_requests_do_not_exceed_their_number(settings: Any) -> None:
    settings.LOGS_API_REQUESTS_PER_MINUTE = 5
    token = tokens.create(token_name())
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda _: program(token).get(LOGS).status_code, range(20)))
    assert statuses.count(200) == 5
    assert statuses.count(429) == 15


@pytest.mark.usefixtures("one_minute")
def test_sessions_of_a_user_share_a_limit(viewer: User, superuser_client: Client, settings: Any) -> None:
    settings.LOGS_API_REQUESTS_PER_MINUTE = 2
    fetch(client_of(viewer))
    fetch(client_of(viewer))
    problem(client_of(viewer), LOGS, 429)
    fetch(superuser_client)


def test_failed_request_keeps_its_reservation(
    usage: Callable[[str], UsageItem], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise StoreUnavailable

    name = token_name()
    client = program(tokens.create(name))
    monkeypatch.setattr(reader, "read", fail)
    problem(client, LOGS, 503)
    assert usage(name).examined == 50_000
