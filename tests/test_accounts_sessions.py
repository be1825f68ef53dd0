"""The session engine."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.test import Client

from logsite.accounts.sessions import SessionStore
from logsite.accounts.store import SessionItem
from tests.clock import Clock
from tests.dynamodb_calls import counted_calls


def save_session(**data: str) -> SessionStore:
    """Save a new session with the data and return it."""
    session = SessionStore()
    session.update(data)
    session.save()
    return session


def test_saved_session_is_loaded() -> None:
    session = save_session(colour="blue")

    assert dict(SessionStore(session.session_key).items()) == {"colour": "blue"}


def test_session_expires_with_its_cookie() -> None:
    item = SessionItem.get(save_session(colour="blue").session_key or "")

    assert abs(item.expires_at - datetime.now(UTC) - timedelta(weeks=2)) < timedelta(minutes=1)


def test_expired_session_is_not_loaded() -> None:
    session = save_session(colour="blue")
    session.set_expiry(-1)
    session.save()
    key = session.session_key or ""

    expired = SessionStore(key)

    assert expired.get("colour") is None
    assert expired.session_key is None
    assert session.exists(key)


def test_expired_session_redirects_to_login(viewer_client: Client) -> None:
    session = viewer_client.session
    session.set_expiry(-1)
    session.save()

    assert viewer_client.get("/admin/password_change/").status_code == 302


def test_new_session_does_not_replace_another() -> None:
    session = save_session(colour="blue")
    another = SessionStore(session.session_key)

    with pytest.raises(CreateError):
        another.save(must_create=True)

    assert SessionStore(session.session_key).get("colour") == "blue"


def test_deleted_session_is_not_restored() -> None:
    session = save_session(colour="blue")
    concurrent = SessionStore(session.session_key)
    concurrent["colour"] = "red"
    session.delete()

    with pytest.raises(UpdateError):
        concurrent.save()

    assert not session.exists(session.session_key or "")


def test_deleting_a_session_twice_is_no_error() -> None:
    session = save_session(colour="blue")

    session.delete()
    session.delete()


def test_cycling_the_key_keeps_the_data() -> None:
    session = save_session(colour="blue")
    old = session.session_key or ""

    session.cycle_key()
    session.save()

    assert session.session_key != old
    assert not session.exists(old)
    assert SessionStore(session.session_key).get("colour") == "blue"


@pytest.mark.parametrize("cookie", ["", "short", "k" * 32, "k" * 4000, "\xe9" * 32])
def test_invalid_cookie_redirects_to_login(cookie: str) -> None:
    client = Client()
    client.cookies["sessionid"] = cookie

    assert client.get("/admin/password_change/").status_code == 302


def test_clear_expired_does_nothing() -> None:
    session = save_session(colour="blue")

    SessionStore.clear_expired()

    assert session.exists(session.session_key or "")


def test_idle_session_ends_after_eight_hours() -> None:
    clock = Clock(datetime(2026, 11, 1, tzinfo=UTC))
    session = SessionStore(now=clock)
    session["colour"] = "blue"
    session.save()
    clock.now += timedelta(hours=7, minutes=59)
    assert SessionStore(session.session_key, now=clock).get("colour") == "blue"
    clock.now += timedelta(hours=7, minutes=59)
    assert SessionStore(session.session_key, now=clock).get("colour") == "blue"
    clock.now += timedelta(hours=8)
    assert SessionStore(session.session_key, now=clock).get("colour") is None


def test_session_in_use_ends_after_fourteen_days() -> None:
    clock = Clock(datetime(2026, 11, 1, tzinfo=UTC))
    session = SessionStore(now=clock)
    session["colour"] = "blue"
    session.save()
    for _ in range(14 * 4 - 1):
        clock.now += timedelta(hours=6)
        later = SessionStore(session.session_key, now=clock)
        assert later.get("colour") == "blue"
        later.save()
    clock.now += timedelta(hours=6)
    assert SessionStore(session.session_key, now=clock).get("colour") is None


def test_idle_timeout_is_renewed_by_few_requests() -> None:
    clock = Clock(datetime(2026, 11, 1, tzinfo=UTC))
    session = SessionStore(now=clock)
    session.save()
    with counted_calls() as calls:
        for _ in range(10):
            clock.now += timedelta(minutes=1)
            SessionStore(session.session_key, now=clock).load()
    assert calls == {"GetItem": 10, "UpdateItem": 2}


def test_deleted_session_is_not_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(datetime(2026, 11, 1, tzinfo=UTC))
    session = SessionStore(now=clock)
    session.save()
    stale = SessionItem.get(session.session_key or "")
    clock.now += timedelta(hours=1)
    session.delete()
    concurrent = SessionStore(session.session_key, now=clock)
    monkeypatch.setattr(concurrent, "_item", lambda key: stale)
    assert concurrent.load() == {}
    with pytest.raises(SessionItem.DoesNotExist):
        SessionItem.get(stale.session_key)


def test_session_of_an_earlier_version_is_loaded() -> None:
    session = save_session(colour="blue")
    item = SessionItem.get(session.session_key or "")
    item.update([SessionItem.created_at.remove(), SessionItem.used_at.remove()])
    assert SessionStore(session.session_key).get("colour") == "blue"
    assert SessionItem.get(session.session_key or "").used_at is not None
