"""The table of saved views: an item for each user and one for all.

All views of an owner are in one item. A page reads those of its user and the shared ones by two keys of one
request, and a conditional write replaces them, so that two writers lose no view.
"""

import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from botocore.exceptions import ClientError
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from logs.models import TableMeta
from logs.storage import dynamodb
from logs.storage.digest_items import UNAVAILABLE_CODES
from logs.storage.errors import StoreUnavailable, is_written, store_unavailable

# The owner of the shared views. No user has this key: those have a prefix.
SHARED = "shared"
USER_PREFIX = "user#"
# After the table was missing, it is not read for this long. Its failures would cost each page a request.
PAUSE_SECONDS = 60

logger = logging.getLogger(__name__)


class ViewsTableMeta(TableMeta):
    """The table of saved views. An empty name switches them off."""

    table_name = os.environ.get("VIEWS_TABLE", "LogsViews")


@dynamodb.share_client
class ViewsItem(Model):
    """All saved views of one owner, as JSON. Each write increments `version`."""

    class Meta(ViewsTableMeta):
        pass

    owner = UnicodeAttribute(hash_key=True)
    views = UnicodeAttribute(default="[]")
    # Of a user: the id of the view that opens first.
    start = UnicodeAttribute(null=True)
    version = NumberAttribute(default=0)


class _Pause:
    """When the table is read again after it was missing, on the monotonic clock."""

    end = 0.0


_kept: ContextVar[dict[str, ViewsItem] | None] = ContextVar("kept_views", default=None)


def user_owner(label: str, key: object) -> str:
    """Return the owner of a user's views. `label` is that of the user's model."""
    return f"{USER_PREFIX}{label}#{key}"


def is_on() -> bool:
    """Return whether views can be saved: VIEWS_TABLE is not empty."""
    return bool(ViewsItem.Meta.table_name)


def is_readable() -> bool:
    """Return whether the table can be read, as far as this process has seen."""
    return is_on() and time.monotonic() >= _Pause.end


def is_missing(error: ClientError) -> bool:
    """Return whether a table is missing, or may not be read."""
    return error.response["Error"]["Code"] in UNAVAILABLE_CODES


def pause(error: Exception) -> None:
    """Do not read the table for PAUSE_SECONDS, because of an error. Log it."""
    logger.warning("Saved views are not used: %s", error)
    _Pause.end = time.monotonic() + PAUSE_SECONDS


@contextmanager
def kept() -> Iterator[None]:
    """Let `read` return in the block what `keep` was called with."""
    token = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(token)


def keep(owners: Sequence[str], raw_items: Sequence[Mapping[str, Any]]) -> None:
    """Keep the items of owners for the reads of the current request. Outside of `kept` it does nothing."""
    kept_items = _kept.get()
    if kept_items is not None:
        kept_items |= _items(owners, raw_items)


def read(*owners: str) -> dict[str, ViewsItem]:
    """Return the item of each owner, a new one if there is none.

    Costs nothing if they were kept, otherwise one BatchGetItem of consistent reads. Raises StoreUnavailable.
    """
    kept_items = _kept.get() or {}
    if kept_items.keys() >= set(owners):
        return kept_items
    if not is_readable():
        raise StoreUnavailable("the table of saved views is missing")
    with store_unavailable():
        try:
            raw_items = dynamodb.get_each({ViewsItem: owners})[ViewsItem]
        except ClientError as error:
            if is_missing(error):
                pause(error)
            raise
    return _items(owners, raw_items)


def read_again(owner: str) -> ViewsItem:
    """Return the item of an owner as it is now. Costs one BatchGetItem. Raises StoreUnavailable."""
    with kept():
        return read(owner)[owner]


def write(item: ViewsItem) -> bool:
    """Replace an item if its version is unchanged; return whether it was.

    Costs one UpdateItem. Raises StoreUnavailable.
    """
    version = int(item.version)
    is_unchanged = ViewsItem.version == version if version else ViewsItem.version.does_not_exist()
    actions = [
        ViewsItem.views.set(item.views),
        ViewsItem.start.set(item.start) if item.start else ViewsItem.start.remove(),
        ViewsItem.version.set(version + 1),
    ]
    with store_unavailable():
        return is_written(lambda: dynamodb.update(ViewsItem, item.owner, actions, is_unchanged))


def _items(owners: Sequence[str], raw_items: Sequence[Mapping[str, Any]]) -> dict[str, ViewsItem]:
    items = {item.owner: item for item in (ViewsItem.from_raw_data(dict(raw)) for raw in raw_items)}
    return {owner: items.get(owner) or ViewsItem(owner) for owner in owners}
