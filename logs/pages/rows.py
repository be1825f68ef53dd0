"""The rows of the listing."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from logs.characters import visible
from logs.filters import FILTERS
from logs.models import LogItem, object_key
from logs.pages.address import Address
from logs.pages.display import Time, display_time, display_who
from logs.pages.links import Link
from logs.plan import Around, Position

# The columns beside the time, and the projected attributes that each one shows.
COLUMNS = {
    FILTERS["account_id"].label: ("account_id",),
    FILTERS["user_id"].label: ("user_id", "user_name"),
    FILTERS["type"].label: ("type",),
    FILTERS["sub_type"].label: ("sub_type",),
    "Object, URL": ("object_type", "object_id", "object_name", "url"),
    "Client": ("submitter_city", "submitter_country", "submitter_platform", "submitter_browser"),
}


@dataclass(frozen=True)
class Row:
    """One log in the listing."""

    href: str
    time: Time
    account: Link
    user: Link
    user_name: str
    object: Link | None
    type: Link
    sub_type: str
    url: str
    place: str
    device: str
    is_marked: bool


def make_rows(address: Address, items: Iterable[LogItem], start: Position | Around | None) -> list[Row]:
    """Return the logs of the page that begins at `start`. Each row's link names this page as the way back."""
    back = address.url(start=start).removeprefix("?")
    suffix = f"?{urlencode({'_changelist_filters': back})}" if back else ""
    return [_row(address, item, suffix, is_marked=start == Around(item.id)) for item in items]


def _row(address: Address, item: LogItem, suffix: str, *, is_marked: bool) -> Row:
    return Row(
        href=f"{item.id}/change/{suffix}",
        time=display_time(item.created_at, address.zone),
        account=Link(display_who(item.account_id), address.narrow(account_id=(item.account_id,))),
        user=Link(
            display_who(item.user_id),
            address.narrow(user_id=(item.user_id,), account_id=(item.account_id,)),
        ),
        user_name=visible(item.user_name or ""),
        object=_object(address, item),
        type=Link(visible(item.type), address.narrow(type=(item.type,))),
        sub_type=visible(item.sub_type),
        url=visible(item.url),
        place=visible(", ".join(filter(None, [item.submitter_city, item.submitter_country]))),
        device=visible(" · ".join(filter(None, [item.submitter_platform, item.submitter_browser]))),
        is_marked=is_marked,
    )


def _object(address: Address, item: LogItem) -> Link | None:
    """Return the link to the history of a log's object. Other accounts may have one of the same name."""
    key = object_key(item.object_type, item.object_id)
    if key is None:
        return None
    href = address.narrow(object=(key,), account_id=(item.account_id,))
    return Link(visible(item.object_name or key), href)
