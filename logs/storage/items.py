"""One log by its id, with its parts."""

import uuid

from logs.models import LogItem
from logs.storage import parts
from logs.storage.errors import store_unavailable


def get(log_id: str) -> LogItem | None:
    """Return the log with this id, or None if it is missing or expired. Any spelling of a UUID is accepted.

    Costs one GetItem, and one BatchGetItem for a log that is too large for one item. Raises StoreUnavailable.
    """
    try:
        key = uuid.UUID(log_id).hex
    except ValueError:
        return None
    with store_unavailable():
        try:
            item = LogItem.get(key)
        except LogItem.DoesNotExist:
            return None
        if item.is_expired:
            return None
        parts.join(item)
    return item
