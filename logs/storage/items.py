"""Logs by their ids."""

import uuid
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from logs.models import LogItem
from logs.storage import dynamodb, parts, rejections
from logs.storage.dynamodb import Usage
from logs.storage.errors import store_unavailable
from logs.storage.raw_items import to_log
from logs.storage.rejections import RejectedItem


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
        return _whole_log(response.get("Item"), usage), usage


def get_with_rejection(log_id: str) -> tuple[LogItem | None, RejectedItem | None, Usage]:
    """Return the log with this id, and why a message with it was rejected. Each may be None.

    Costs as `get`, but one BatchGetItem instead of the GetItem. The id has 32 hex digits. Raises
    StoreUnavailable.
    """
    usage = Usage()
    rejected_id = rejections.item_id(log_id)
    keys = [{"id": log_id}, {"id": rejected_id}]
    with store_unavailable():
        raw_items = {raw["id"]["S"]: raw for raw in dynamodb.batch_get_all(LogItem, keys, usage=usage)}
        item = _whole_log(raw_items.get(log_id), usage)
    raw_rejection = raw_items.get(rejected_id)
    rejection = RejectedItem.from_raw_data(raw_rejection) if raw_rejection else None
    if rejection and rejection.expires_at <= datetime.now(UTC):
        rejection = None
    return item, rejection, usage


def _whole_log(raw: dict[str, Any] | None, usage: Usage) -> LogItem | None:
    """Return the log of a raw item with its parts, or None if it is missing or expired."""
    if raw is None:
        return None
    item = to_log(raw)
    if item.is_expired:
        return None
    joined = parts.join(item)
    usage.requests += joined.requests
    usage.read_units += joined.read_units
    return item


def get_heads(ids: Collection[str]) -> tuple[dict[str, LogItem], list[str]]:
    """Return the existing logs by id, and the ids that DynamoDB did not process.

    The read is consistent. Parts are not joined. Costs one BatchGetItem for up to 100 ids. Raises PynamoDB's
    and botocore's errors.
    """
    table = LogItem.Meta.table_name
    response = dynamodb.batch_get(LogItem, [{"id": log_id} for log_id in ids], consistent=True)
    items = [to_log(raw) for raw in response["Responses"].get(table, [])]
    unprocessed = response.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
    return {item.id: item for item in items}, [key["id"]["S"] for key in unprocessed]
