"""The items that a session reads beside its own: its user, and saved views."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from logs.storage import view_items
from logsite.accounts.store import UserItem

# The pages below the listing that show the columns of a saved view.
PAGES_OF_VIEWS = ("live/", "export/")


@dataclass
class _Slot:
    request: HttpRequest | None
    item: UserItem | None = None


_slot: ContextVar[_Slot | None] = ContextVar("prefetched_user", default=None)


@contextmanager
def started(request: HttpRequest | None = None) -> Iterator[None]:
    """Let the session of the block's request read its user too.

    For the listing it also reads the saved views.
    Outside of a request nothing is kept: it would become stale.
    """
    token = _slot.set(_Slot(request))
    try:
        with view_items.kept():
            yield
    finally:
        _slot.reset(token)


def is_on() -> bool:
    """Return whether a user that is read now can be taken later."""
    return _slot.get() is not None


def view_owners(username: str) -> list[str]:
    """Return the owners of the saved views that the page of a user needs.

    The listing needs some, and the pages of a view with its columns.
    """
    slot = _slot.get()
    if slot is None or slot.request is None or slot.request.method not in ("GET", "HEAD"):
        return []
    listing, path = reverse(settings.LOGIN_REDIRECT_URL), slot.request.path
    needs_view = "view" in slot.request.GET and path in (listing + place for place in PAGES_OF_VIEWS)
    if path != listing and not needs_view:
        return []
    return [view_items.user_owner(settings.AUTH_USER_MODEL, username), view_items.SHARED]


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
