"""The tabs of saved views above the list, and the view of a page."""

import logging
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from logs import saved_views
from logs.fields import ON
from logs.form_fields import ALL
from logs.pages import preferences
from logs.pages.address import Address
from logs.pages.preferences import Preferences
from logs.saved_views import SavedView, ViewList
from logs.storage import view_items
from logs.storage.errors import StoreUnavailable

# The parameters of a view that are no filter.
SHOWN = ("limit", *preferences.RULES)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tab:
    """A tab of the list. `notes` say what is special about its view."""

    text: str
    href: str
    is_current: bool
    notes: tuple[str, ...] = ()


class ViewTabs:
    """The saved views that a user sees, and the one of the page."""

    def __init__(self, own: ViewList, shared: ViewList, view_id: str, *, may_share: bool) -> None:
        """Show the views of a user and the shared ones. `view_id` is that of the page's address."""
        self.own = own
        self.shared = shared
        self.view_id = view_id
        self.may_share = may_share
        self.start = self._get(own.start)
        self.current = self._get(view_id)
        # The query string to save. Set by `show`.
        self.query = ""

    def _get(self, view_id: str) -> SavedView | None:
        return self.own.get(view_id) or self.shared.get(view_id)

    def preferences(self, base: Preferences) -> Preferences:
        """Return how the view of the page shows the rows. Without a view it is `base`."""
        return preferences.parse(self.current.query, base) if self.current else base

    def show(self, address: Address, shown: Preferences, *, is_first_page: bool) -> None:
        """Compare the view with the page.

        The other pages of a relative range have absolute times, which are those of the view.
        """
        self.query = view_query(address, shown)
        saved = self.current.query if self.current else ""
        if not is_first_page and "range" in dict(parse_qsl(saved)) and _others(saved) == _others(self.query):
            self.query = saved

    @property
    def tabs(self) -> list[Tab]:
        """Return a tab for all logs, the user's views and the shared ones."""
        all_logs = Tab("All logs", f"?{ALL}={ON}" if self.start else "?", not self.view_id)
        return [all_logs, *map(self._tab, (*self.own.views, *self.shared.views))]

    def _tab(self, view: SavedView) -> Tab:
        notes = {"shared": view in self.shared.views, "opens first": view == self.start}
        return Tab(
            view.text, address_of(view), view == self.current, tuple(name for name, on in notes.items() if on)
        )

    @property
    def is_missing(self) -> bool:
        """Return whether the user sees no view with the id in the address."""
        return bool(self.view_id) and self.current is None

    @property
    def is_changed(self) -> bool:
        """Return whether the page differs from its view."""
        return bool(self.current and self.query and self.query != self.current.query)

    @property
    def may_replace(self) -> bool:
        """Return whether the user may change the view of the page."""
        return self.current in self.own.views or self.may_share

    @property
    def add_query(self) -> str:
        """Return the query string of the page that saves this one as a view."""
        return urlencode({"query": self.query})

    def is_outdated(self, data: Any) -> bool:
        """Return whether the parameters of an invalid page are those of its view, unchanged."""
        if self.current is None:
            return False
        return urlencode([*data.lists()], doseq=True) == address_of(self.current).removeprefix("?")


def read_tabs(user: Any, view_id: str, *, may_share: bool) -> ViewTabs | None:
    """Return the tabs of a user, or None without saved views.

    Views that are off or cannot be read are no reason to fail. Costs at most one BatchGetItem.
    """
    if not view_items.is_readable():
        return None
    try:
        own, shared = saved_views.read(owner_of(user))
    except StoreUnavailable as error:
        logger.warning("The saved views cannot be read: %s", error)
        return None
    return ViewTabs(own, shared, view_id, may_share=may_share)


def owner_of(user: Any) -> str:
    """Return the owner of a user's views, in any user model."""
    return view_items.user_owner(user._meta.label, user.pk)


def view_query(address: Address, shown: Preferences) -> str:
    """Return the query string of a view with the filter of a page.

    Equal views have equal query strings. A relative range stays relative. Page size, columns and density are
    always named, because each browser has others.
    """
    bare = replace(address, default_limit=address.limit, kept={}, needs_all=False)
    rest = urlencode({"limit": address.limit, **{name: getattr(shown, name) for name in preferences.RULES}})
    return "&".join(filter(None, [bare.url().removeprefix("?"), rest]))


def address_of(view: SavedView) -> str:
    """Return the address of a view. Its page size, columns and density are those of the saved view."""
    values = parse_qsl(view.query, keep_blank_values=True)
    return f"?{urlencode([('view', view.id), *((name, text) for name, text in values if name not in SHOWN)])}"


def _others(query: str) -> list[tuple[str, str]]:
    """Return the parameters of a query string without its time range."""
    return [(name, text) for name, text in parse_qsl(query) if name not in ("range", "from", "to")]
