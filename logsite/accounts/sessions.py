"""Django's session engine over DynamoDB, which deletes expired sessions by itself (TTL)."""

from typing import Any

from django.contrib.sessions.backends.base import VALID_KEY_CHARS, CreateError, SessionBase, UpdateError
from django.utils import timezone
from django.utils.crypto import get_random_string

from logsite.accounts.store import SessionItem, refused_as

KEY_LENGTH = 32


class SessionStore(SessionBase):
    """A session of one browser. What Django signs is what is stored."""

    def __init__(self, session_key: str | None = None) -> None:
        """Take the key that a cookie brought; a longer one than ours is none: DynamoDB would refuse it."""
        super().__init__(session_key if len(session_key or "") <= KEY_LENGTH else None)

    def load(self) -> dict[str, Any]:
        """Return what is in the session, nothing where it does not exist or its time is over."""
        item = self._item(self.session_key) if self.session_key else None
        # TTL deletes within days, and until then the row is returned.
        if item is None or item.expires_at <= timezone.now():
            self._session_key = None
            return {}
        return self.decode(item.data)

    def exists(self, session_key: str) -> bool:
        """Tell whether a row has this key."""
        return self._item(session_key) is not None

    def create(self) -> None:
        """Take a new key and store an empty session under it."""
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

        Raises CreateError where it must be new and is not, UpdateError where it was deleted meanwhile: a
        request that was under way must not bring back the session of someone who has logged out.
        """
        # A new session has nothing to load; asking would find no row and drop the key.
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]  # not in the stubs
        if self.session_key is None:
            self.create()
            return
        item = SessionItem(self.session_key, data=self.encode(data), expires_at=self.get_expiry_date())
        if must_create:
            with refused_as(CreateError()):
                item.save(SessionItem.session_key.does_not_exist())
        else:
            with refused_as(UpdateError()):
                item.save(SessionItem.session_key.exists())

    def delete(self, session_key: str | None = None) -> None:
        """Delete this session, or the one of that key, where it exists."""
        if key := session_key or self.session_key:
            SessionItem(key).delete()

    @classmethod
    def clear_expired(cls) -> None:
        """Do nothing: TTL deletes them."""

    def _item(self, session_key: str) -> SessionItem | None:
        try:
            # Consistent: a login leads to another page at once, which must find its session.
            return SessionItem.get(session_key, consistent_read=True)
        except SessionItem.DoesNotExist:
            return None
