"""The item of a request's user, which the session reads together with its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from logsite.accounts.store import UserItem


@dataclass
class _Slot:
    item: UserItem | None = None


_slot: ContextVar[_Slot | None] = ContextVar("prefetched_user", default=None)


@contextmanager
def started() -> Iterator[None]:
    """Let the session of the block's request read its user too.

    Outside of a request nothing is kept: it would become stale.
    """
    token = _slot.set(_Slot())
    try:
        yield
    finally:
        _slot.reset(token)


def is_on() -> bool:
    """Return whether a user that is read now can be taken later."""
    return _slot.get() is not None


def put(item: UserItem | None) -> None:
    """Keep the item of a user for the current request."""
    if slot := _slot.get():
        slot.item = item


def take(username: object) -> UserItem | None:
    """Return the kept item if it is this user's. A second call returns None, so it is read again."""
    slot = _slot.get()
    if slot is None or slot.item is None or slot.item.username != username:
        return None
    item, slot.item = slot.item, None
    return item
