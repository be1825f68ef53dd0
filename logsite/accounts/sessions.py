"""Django's session engine over DynamoDB, whose TTL deletes expired sessions.

A session ends LOGSITE_SESSION_DAYS after the sign-in, and LOGSITE_SESSION_IDLE_HOURS after its last request.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import VALID_KEY_CHARS, CreateError, SessionBase, UpdateError
from django.utils import timezone
from django.utils.crypto import get_random_string

from logsite.accounts import prefetch
from logsite.accounts.store import SessionItem, conditional_write, read_session

KEY_LENGTH = 32
# Between the key and the user's name in a cookie. It is in neither of them.
SEPARATOR = "."
# Longer names have no user, and DynamoDB rejects longer keys.
MAX_NAME_BYTES = 600
# A request renews the idle timeout if this part of it has passed, so that few requests write.
RENEWAL = 1 / 100


class SessionStore(SessionBase):
    """The session of one browser. Django signs the stored data."""

    def __init__(self, session_key: str | None = None, now: Callable[[], datetime] = timezone.now) -> None:
        """Use the value of a cookie. Ignore a key that is too long, which DynamoDB would reject.

        `now` is the clock.
        """
        key, _, name = (session_key or "").partition(SEPARATOR)
        super().__init__(key if key and len(key) <= KEY_LENGTH else None)
        self._name = _decode(name)
        self._now = now
        self._created_at: datetime | None = None

    @property
    def key(self) -> str | None:
        """Return the key of the session's item."""
        key: str | None = self._session_key
        return key

    @property
    def session_key(self) -> str | None:
        """Return the value of the cookie: the key, and the signed-in user's name.

        With the name, one request reads both items. It proves nothing: the user is the one that the item of
        the session names.
        """
        data = vars(self).get("_session_cache")  # absent until the session is loaded
        name = self._name if data is None else data.get(SESSION_KEY)
        return f"{self.key}{SEPARATOR}{_encode(name)}" if self.key and name else self.key

    def load(self) -> dict[str, Any]:
        """Return the session's data, empty if the session does not exist or has expired.

        Costs one BatchGetItem, which reads the user and saved views too, or one GetItem if the cookie names
        no user; and one UpdateItem if the idle timeout is renewed.
        """
        item = self._read(self.key) if self.key else None
        # TTL deletes an expired item within days. Until then reads return it.
        if item is None or self._has_ended(item) or not self._renew(item):
            self._session_key = None
            return {}
        self._created_at = item.created_at
        return self.decode(item.data)

    def _read(self, key: str) -> SessionItem | None:
        """Return the session's item. Keep the user's item, and saved views, for the current request."""
        if not (self._name and prefetch.is_on()):
            return self._item(key)
        item, user = read_session(key, self._name, prefetch.view_owners(self._name))
        prefetch.put(user)
        return item

    def _has_ended(self, item: SessionItem) -> bool:
        now = self._now()
        is_idle = item.used_at is not None and item.used_at + _idle_timeout() <= now
        return is_idle or item.expires_at <= now

    def _renew(self, item: SessionItem) -> bool:
        """Store the time of this request if the last one is old. Return whether the session still exists."""
        now = self._now()
        if item.used_at is not None and now - item.used_at < _idle_timeout() * RENEWAL:
            return True
        try:
            with conditional_write(UpdateError()):
                item.update([SessionItem.used_at.set(now)], SessionItem.session_key.exists())
        except UpdateError:
            return False
        return True

    def exists(self, session_key: str) -> bool:
        """Return whether a session has this key."""
        return self._item(_key(session_key)) is not None

    def create(self) -> None:
        """Store an empty session under a new key."""
        while True:
            self._session_key = get_random_string(KEY_LENGTH, VALID_KEY_CHARS)
            try:
                self.save(must_create=True)
            except CreateError:
                continue
            self.modified = True
            return

    def save(self, must_create: bool = False) -> None:
        """Store the session.

        Raise CreateError if it must be new but exists, UpdateError if it has been deleted: a request that
        started before a logout must not restore the session.
        """
        # A new session has nothing to load, and loading it would reset the key.
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]  # not in the stubs
        if self.key is None:
            self.create()
            return
        now = self._now()
        if must_create or self._created_at is None:
            self._created_at = now
        # Saving does not prolong a session.
        end = self._created_at + timedelta(seconds=settings.SESSION_COOKIE_AGE)
        item = SessionItem(
            self.key,
            data=self.encode(data),
            expires_at=min(self.get_expiry_date(modification=now), end),
            created_at=self._created_at,
            used_at=now,
        )
        if must_create:
            with conditional_write(CreateError()):
                item.save(SessionItem.session_key.does_not_exist())
        else:
            with conditional_write(UpdateError()):
                item.save(SessionItem.session_key.exists())

    def delete(self, session_key: str | None = None) -> None:
        """Delete this session, or the session with the key, if it exists."""
        if key := session_key or self.session_key:
            SessionItem(_key(key)).delete()

    @classmethod
    def clear_expired(cls) -> None:
        """Do nothing, because TTL deletes expired sessions."""

    def _item(self, session_key: str) -> SessionItem | None:
        try:
            # Consistent, because the page after a login reads the session at once.
            return SessionItem.get(session_key, consistent_read=True)
        except SessionItem.DoesNotExist:
            return None


def _key(cookie: str) -> str:
    """Return the key in the value of a cookie."""
    return cookie.partition(SEPARATOR)[0]


def _encode(name: str) -> str:
    """Return a name as text that a cookie may hold."""
    return urlsafe_b64encode(name.encode()).decode().rstrip("=")


def _decode(text: str) -> str:
    """Return the name that `_encode` encoded, or an empty text for any other text."""
    try:
        name = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return name.decode() if len(name) <= MAX_NAME_BYTES else ""
    except (binascii.Error, UnicodeError, ValueError):
        return ""


def _idle_timeout() -> timedelta:
    return timedelta(seconds=settings.SESSION_IDLE_SECONDS)
