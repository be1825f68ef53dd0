"""One log by its id, with its parts."""

import uuid

from logs.models import LogItem
from logs.storage import dynamodb, parts
from logs.storage.dynamodb import Usage
from logs.storage.errors import store_unavailable


def get(log_id: str) -> LogItem | None:
    """Return the log with this id, or None if it is missing or expired. Any spelling of a UUID is accepted.

    Costs one GetItem, and one BatchGetItem for a log that is too large for one item. Raises StoreUnavailable.
    """
    item, _ = get_with_usage(log_id)
    return item


def get_with_usage(log_id: str) -> tuple[LogItem | None, Usage]:
    """Return a log as `get`, and the usage. A text that is no id costs nothing."""
    usage = Usage()
    try:
        key = uuid.UUID(log_id).hex
    except ValueError:
        return None, usage
    with store_unavailable():
        response = usage.add(dynamodb.get(LogItem, key))
        if not (raw := response.get("Item")):
            return None, usage
        item = LogItem.from_raw_data(raw)
        if item.is_expired:
            return None, usage
        joined = parts.join(item)
    return item, Usage(usage.requests + joined.requests, usage.read_units + joined.read_units)
