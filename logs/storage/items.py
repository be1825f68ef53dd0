"""Logs by their ids."""

import uuid
from collections.abc import Collection

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


def get_heads(ids: Collection[str]) -> tuple[dict[str, LogItem], list[str]]:
    """Return the existing logs by id, and the ids that DynamoDB did not process.

    The read is consistent. Parts are not joined. Costs one BatchGetItem for up to 100 ids. Raises PynamoDB's
    and botocore's errors.
    """
    table = LogItem.Meta.table_name
    response = dynamodb.batch_get(LogItem, [{"id": log_id} for log_id in ids], consistent=True)
    items = [LogItem.from_raw_data(raw) for raw in response["Responses"].get(table, [])]
    unprocessed = response.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
    return {item.id: item for item in items}, [key["id"]["S"] for key in unprocessed]
