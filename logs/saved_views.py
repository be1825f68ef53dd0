"""Saved views: the list of each user, and the shared one. No Django."""

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from logs.characters import reading, strip, visible
from logs.storage import view_items
from logs.storage.errors import StoreUnavailable
from logs.storage.view_items import SHARED, ViewsItem

# All views of an owner are read with each listing: with these limits, they have at most 130 KB.
MAX_VIEWS = 50
MAX_NAME = 100
MAX_QUERY = 2_000
# Other requests may write the same list at the same time.
ATTEMPTS = 5


class ViewRejected(ValueError):
    """A view cannot be saved, in words for the person who saved it."""


@dataclass(frozen=True)
class SavedView:
    """A name for a query string of the listing.

    It also has page size, columns and density.
    """

    id: str
    name: str
    query: str

    @property
    def text(self) -> str:
        """Return the name as a page shows it."""
        return visible(self.name)


@dataclass(frozen=True)
class ViewList:
    """The views of one owner. `start` is the id of the view that opens first, empty for none.

    The changes return another list, or raise ViewRejected. A change that is repeated changes nothing.
    """

    views: tuple[SavedView, ...] = ()
    start: str = ""

    def get(self, view_id: str) -> SavedView | None:
        """Return the view with an id, or None."""
        return next((view for view in self.views if view.id == view_id), None)

    def add(self, view: SavedView, *, starts: bool = False) -> "ViewList":
        """Add a view at the end."""
        if self.get(view.id):
            return self
        if len(self.views) >= MAX_VIEWS:
            raise ViewRejected(f"There are {MAX_VIEWS} saved views, the most possible. Delete one first.")
        self._check(view)
        return ViewList((*self.views, view), view.id if starts else self.start)

    def rename(self, view_id: str, name: str) -> "ViewList":
        """Give a view another name."""
        return self._replaced(replace(self._existing(view_id), name=strip(name)))

    def replace(self, view_id: str, query: str) -> "ViewList":
        """Give a view another query string."""
        return self._replaced(replace(self._existing(view_id), query=query))

    def delete(self, view_id: str) -> "ViewList":
        """Leave out a view."""
        self._existing(view_id)
        views = tuple(view for view in self.views if view.id != view_id)
        return ViewList(views, "" if self.start == view_id else self.start)

    def open_first(self, view_id: str) -> "ViewList":
        """Let a view open first. It may be in another list, and empty for none."""
        return replace(self, start=view_id)

    def _existing(self, view_id: str) -> SavedView:
        if view := self.get(view_id):
            return view
        raise ViewRejected("This saved view no longer exists: it was deleted meanwhile.")

    def _replaced(self, changed: SavedView) -> "ViewList":
        self._check(changed)
        views = tuple(changed if view.id == changed.id else view for view in self.views)
        return replace(self, views=views)

    def _check(self, view: SavedView) -> None:
        """Raise ViewRejected if a view breaks a rule."""
        if not 0 < len(view.name) <= MAX_NAME:
            raise ViewRejected(f"The name must have 1 to {MAX_NAME} characters, not {len(view.name)}.")
        check_query(view.query)
        for other in self.views:
            if other.id != view.id and _comparable(other.name) == _comparable(view.name):
                raise ViewRejected(f"There is a saved view “{other.text}” already. Choose another name.")


def check_query(query: str) -> None:
    """Raise ViewRejected if a query string is too long for a view."""
    if len(query) > MAX_QUERY:
        raise ViewRejected(
            f"The filter is too long for a saved view: its address may have {MAX_QUERY:,} characters, "
            f"not {len(query):,}."
        )


def _comparable(name: str) -> str:
    """Return a name without the differences that a reader cannot see, and in one letter case."""
    return reading(name).casefold()


def new_view(name: str, query: str) -> SavedView:
    """Return a view with a new id."""
    return SavedView(secrets.token_hex(5), strip(name), query)


def read(owner: str) -> tuple[ViewList, ViewList]:
    """Return the views of a user, and the shared ones.

    Costs at most one BatchGetItem of two small items. Raises StoreUnavailable.
    """
    items = view_items.read(owner, SHARED)
    return _from_item(items[owner]), _from_item(items[SHARED])


def change(owner: str, change_list: Callable[[ViewList], ViewList]) -> ViewList:
    """Change the list of an owner; return the new list.

    If another request writes it meanwhile, the change is repeated with the new list. Costs one BatchGetItem
    and one UpdateItem, each time. Raises ViewRejected and StoreUnavailable.
    """
    for _ in range(ATTEMPTS):
        item = view_items.read_again(owner)
        current = _from_item(item)
        changed = change_list(current)
        item.views = json.dumps([asdict(view) for view in changed.views], ensure_ascii=False)
        item.start = changed.start
        if changed == current or view_items.write(item):
            return changed
    raise StoreUnavailable(f"the views of {owner} were changed during each of {ATTEMPTS} attempts")


def _from_item(item: ViewsItem) -> ViewList:
    """Return the list of an item. Raises StoreUnavailable for an item that another version wrote."""
    try:
        values = json.loads(item.views)
        views = tuple(SavedView(each["id"], each["name"], each["query"]) for each in values)
    except (KeyError, TypeError, ValueError) as error:
        raise StoreUnavailable(f"the item of {item.owner} has no saved views: {error}") from error
    return ViewList(views, item.start or "")
