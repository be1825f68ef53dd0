"""The session engine."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.test import Client

from logsite.accounts.sessions import SessionStore
from logsite.accounts.store import SessionItem


def saved(**data: str) -> SessionStore:
    """Return a new session that holds the data."""
    session = SessionStore()
    session.update(data)
    session.save()
    return session


def test_what_is_saved_is_loaded() -> None:
    session = saved(colour="blue")

    assert dict(SessionStore(session.session_key).items()) == {"colour": "blue"}


def test_a_session_lasts_as_long_as_its_cookie() -> None:
    item = SessionItem.get(saved(colour="blue").session_key or "")

    assert abs(item.expires_at - datetime.now(UTC) - timedelta(weeks=2)) < timedelta(minutes=1)


def test_an_expired_session_is_not_loaded_though_its_row_is_there() -> None:
    session = saved(colour="blue")
    session.set_expiry(-1)
    session.save()
    key = session.session_key or ""

    late = SessionStore(key)

    assert late.get("colour") is None
    assert late.session_key is None
    assert session.exists(key)


def test_an_expired_session_opens_nothing(viewer_client: Client) -> None:
    session = viewer_client.session
    session.set_expiry(-1)
    session.save()

    assert viewer_client.get("/admin/").status_code == 302


def test_a_new_session_takes_no_ones_place() -> None:
    session = saved(colour="blue")
    another = SessionStore(session.session_key)

    with pytest.raises(CreateError):
        another.save(must_create=True)

    assert SessionStore(session.session_key).get("colour") == "blue"


def test_a_deleted_session_is_not_brought_back() -> None:
    session = saved(colour="blue")
    under_way = SessionStore(session.session_key)
    under_way["colour"] = "red"
    session.delete()

    with pytest.raises(UpdateError):
        under_way.save()

    assert not session.exists(session.session_key or "")


def test_deleting_a_session_that_is_gone_is_no_error() -> None:
    session = saved(colour="blue")

    session.delete()
    session.delete()


def test_cycling_the_key_keeps_the_data_and_ends_the_old_key() -> None:
    session = saved(colour="blue")
    old = session.session_key or ""

    session.cycle_key()
    session.save()

    assert session.session_key != old
    assert not session.exists(old)
    assert SessionStore(session.session_key).get("colour") == "blue"


@pytest.mark.parametrize("cookie", ["", "short", "k" * 32, "k" * 4000, "\xe9" * 32])
def test_a_made_up_cookie_is_no_session(cookie: str) -> None:
    client = Client()
    client.cookies["sessionid"] = cookie

    assert client.get("/admin/").status_code == 302


def test_there_is_nothing_to_clear() -> None:
    session = saved(colour="blue")

    SessionStore.clear_expired()

    assert session.exists(session.session_key or "")
