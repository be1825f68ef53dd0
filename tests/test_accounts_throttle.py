"""The throttle of password checks: growing delays, no race, the same response for every name."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.management import CommandError, call_command
from django.test import Client

from logsite.accounts import throttle
from logsite.accounts.models import User
from logsite.accounts.sessions import KEY_LENGTH
from logsite.accounts.store import AttemptsItem
from tests.clock import Clock
from tests.conftest import PASSWORD, client_of
from tests.proxy import disconnect

LOGIN, CHANGE = "/admin/login/", "/admin/password_change/"
ADDRESS = "203.0.113.7"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock[float]:
    """Replace the throttle's clock."""
    clock = Clock(1_800_000_000.0)
    monkeypatch.setattr(throttle, "_now", clock)
    return clock


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the passwords that are hashed."""
    passwords: list[str] = []
    encode = MD5PasswordHasher.encode

    def record(self: MD5PasswordHasher, password: str, salt: str) -> str:
        passwords.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", record)
    return passwords


def unique_name() -> str:
    return f"nobody-{uuid4().hex[:12]}"


def post(username: str, password: str, address: str = ADDRESS, **headers: str) -> Any:
    """Submit the login form; return the response."""
    form = {"username": username, "password": password}
    return Client().post(LOGIN, form, REMOTE_ADDR=address, headers=headers)


def fail(username: str, times: int) -> None:
    for _ in range(times):
        assert post(username, "wrong").status_code == 200


@pytest.mark.parametrize("exists", [True, False])
def test_sixth_attempt_is_429_before_hashing(exists: bool, viewer: User, hashes: list[str]) -> None:
    username = viewer.username if exists else unique_name()
    hashes.clear()
    fail(username, 5)
    assert len(hashes) == 5, "an unknown name costs the same work"
    response = post(username, PASSWORD)
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 60
    assert "Try again in 1 minute." in response.content.decode()
    assert len(hashes) == 5


def test_refusal_is_the_same_for_unknown_names(viewer: User) -> None:
    names = [viewer.username, unique_name()]
    for name in names:
        fail(name, 5)
    known_name, unknown_name = (post(name, PASSWORD).content for name in names)
    assert known_name == unknown_name


def test_delay_doubles_up_to_fifteen_minutes(viewer: User, clock: Clock[float]) -> None:
    fail(viewer.username, 5)
    for seconds in (60, 120, 240, 480, 900, 900):
        response = post(viewer.username, PASSWORD)
        assert (response.status_code, response["Retry-After"]) == (429, str(seconds))
        clock.now += seconds - 1
        assert post(viewer.username, PASSWORD)["Retry-After"] == "1"
        clock.now += 1
        assert post(viewer.username, "wrong").status_code == 200


def test_right_password_after_the_delay_clears_the_count(viewer: User, clock: Clock[float]) -> None:
    fail(viewer.username, 5)
    clock.now += 60
    assert post(viewer.username, PASSWORD).status_code == 302
    fail(viewer.username, 5)


def test_refused_attempts_do_not_prolong_the_delay(viewer: User, clock: Clock[float]) -> None:
    fail(viewer.username, 5)
    for _ in range(10):
        assert post(viewer.username, PASSWORD)["Retry-After"] == "60"
    clock.now += 60
    assert post(viewer.username, PASSWORD).status_code == 302


def test_failures_are_forgotten_before_ttl_deletes_them(viewer: User, clock: Clock[float]) -> None:
    fail(viewer.username, 5)
    clock.now += 3600
    fail(viewer.username, 5)
    assert post(viewer.username, PASSWORD).status_code == 429


def test_parallel_attempts_do_not_exceed_the_limit(viewer: User, hashes: list[str]) -> None:
    hashes.clear()
    with ThreadPoolExecutor(30) as pool:
        statuses = list(pool.map(lambda _: post(viewer.username, "wrong").status_code, range(30)))
    assert sorted(statuses) == [200] * 5 + [429] * 25
    assert len(hashes) == 5


def test_one_of_many_parallel_attempts_passes_after_a_delay(viewer: User, clock: Clock[float]) -> None:
    fail(viewer.username, 5)
    clock.now += 60
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda _: post(viewer.username, "wrong").status_code, range(20)))
    assert sorted(statuses) == [200] + [429] * 19


def test_address_is_throttled_over_all_names(settings: Any) -> None:
    settings.LOGSITE_SIGN_IN_FAILURES_PER_ADDRESS = 8
    address = f"198.51.100.{uuid4().int % 256}"
    for _ in range(8):
        assert post(unique_name(), "wrong", address).status_code == 200
    assert post(unique_name(), "wrong", address).status_code == 429
    assert post(unique_name(), "wrong", "198.51.101.1").status_code == 200


def test_own_account_does_not_clear_an_address(viewer: User, settings: Any) -> None:
    settings.LOGSITE_SIGN_IN_FAILURES_PER_ADDRESS = 3
    address = f"192.0.2.{uuid4().int % 256}"
    for _ in range(3):
        assert post(viewer.username, PASSWORD, address).status_code == 302
        assert post(unique_name(), "wrong", address).status_code == 200
    assert post(viewer.username, PASSWORD, address).status_code == 429


def test_throttled_address_does_not_lock_a_name(viewer: User, settings: Any) -> None:
    settings.LOGSITE_SIGN_IN_FAILURES_PER_ADDRESS = 1
    address = f"192.0.3.{uuid4().int % 256}"
    post(unique_name(), "wrong", address)
    for _ in range(9):
        assert post(viewer.username, "wrong", address).status_code == 429
    assert post(viewer.username, PASSWORD, "192.0.4.1").status_code == 302


def test_ipv6_addresses_of_one_network_share_a_count(settings: Any) -> None:
    settings.LOGSITE_SIGN_IN_FAILURES_PER_ADDRESS = 2
    network = f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}"
    assert post(unique_name(), "wrong", f"{network}::1").status_code == 200
    assert post(unique_name(), "wrong", f"{network}:ffff::2").status_code == 200
    assert post(unique_name(), "wrong", f"{network}::3").status_code == 429


@pytest.mark.parametrize(
    ("address", "same"),
    [
        ("203.0.113.7", "203.0.113.7:50123"),
        ("203.0.113.7", "::ffff:203.0.113.7"),
        ("2001:db8::1", "[2001:db8::2]:50123"),
        ("2001:db8::1", "[2001:db8::2]"),
    ],
)
def test_port_and_spelling_do_not_change_an_address(address: str, same: str) -> None:
    keys = {throttle.reserve(unique_name(), each).address_key for each in (address, same)}
    assert len(keys) == 1


def test_forwarded_address_of_a_client_is_ignored(settings: Any) -> None:
    settings.LOGSITE_SIGN_IN_FAILURES_PER_ADDRESS = 2
    address = f"192.0.5.{uuid4().int % 256}"
    statuses = [
        post(unique_name(), "wrong", address, x_forwarded_for=f"10.0.0.{n}").status_code for n in range(3)
    ]
    assert statuses == [200, 200, 429]


@pytest.mark.parametrize("name", ["x", "n" * 150, "\x00", "é\u202e", "#"])
def test_key_is_bounded_and_no_session_key(name: str) -> None:
    key = throttle.reserve(name + unique_name(), "").user_key
    assert KEY_LENGTH < len(key) < 100
    assert name not in key.partition("#")[2].partition("#")[2]
    assert AttemptsItem.get(key).failures == 1


def test_spellings_of_a_name_share_a_count(viewer: User) -> None:
    fail("".join(chr(ord(character) + 0xFEE0) for character in viewer.username), 5)
    assert post(viewer.username, PASSWORD).status_code == 429


def test_password_change_is_throttled(viewer: User, hashes: list[str]) -> None:
    client = client_of(viewer)
    form = {"old_password": "wrong", "new_password1": "a new sentence", "new_password2": "a new sentence"}
    hashes.clear()
    for _ in range(5):
        assert client.post(CHANGE, form).status_code == 200
    hashes.clear()
    response = client.post(CHANGE, {**form, "old_password": PASSWORD})
    assert response.status_code == 429
    assert hashes == []


def test_weak_new_password_is_no_failure(viewer: User) -> None:
    client = client_of(viewer)
    form = {"old_password": PASSWORD, "new_password1": "short", "new_password2": "short"}
    assert [client.post(CHANGE, form).status_code for _ in range(7)] == [200] * 7


def test_unlock_user_ends_the_delay(viewer: User, capsys: pytest.CaptureFixture[str]) -> None:
    fail(viewer.username, 5)
    assert post(viewer.username, PASSWORD).status_code == 429
    call_command("unlock_user", viewer.username)
    assert capsys.readouterr().out == f"The user {viewer.username} may sign in at once.\n"
    assert post(viewer.username, PASSWORD).status_code == 302
    with pytest.raises(CommandError, match="There is no user"):
        call_command("unlock_user", unique_name())


def test_unlock_user_ends_the_delay_of_an_address(viewer: User, settings: Any) -> None:
    settings.LOGSITE_SIGN_IN_FAILURES_PER_ADDRESS = 1
    address = f"192.0.6.{uuid4().int % 256}"
    post(unique_name(), "wrong", address)
    assert post(viewer.username, PASSWORD, address).status_code == 429
    call_command("unlock_user", viewer.username, f"--address={address}", verbosity=0)
    assert post(viewer.username, PASSWORD, address).status_code == 302


def test_sign_in_is_503_without_dynamodb(
    viewer: User, monkeypatch: pytest.MonkeyPatch, hashes: list[str]
) -> None:
    hashes.clear()
    disconnect(monkeypatch)
    assert post(viewer.username, PASSWORD).status_code == 503
    assert hashes == []
