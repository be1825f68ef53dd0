"""Items of the logs table, created without the writer."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from logs.models import CONTEXT_FIELDS, STATUS, LogItem, account_type_key, make_context, object_key, user_key

START = datetime(2026, 11, 1, tzinfo=UTC)


def make_item(number: int = 0, **changes: Any) -> LogItem:
    """Return an item. `number` determines its id, and adds seconds to its time.

    Fields of the context are changes like all others.
    """
    values: dict[str, Any] = {
        "id": uuid.UUID(int=number, version=4).hex,
        "account_id": "7",
        "user_id": "12",
        "type": "login",
        "sub_type": "password",
        "url": "/login",
        "created_at": START + timedelta(seconds=number),
        "status": STATUS,
        **changes,
    }
    values.setdefault("received_at", values["created_at"])
    values["account_type"] = account_type_key(values["account_id"], values["type"])
    values["user_key"] = user_key(values["user_id"])
    context = {name: values.pop(name) for name in CONTEXT_FIELDS if name in values}
    values["object_key"] = object_key(context.get("object_type"), context.get("object_id"))
    return LogItem(**values, context=make_context(context))


def store(items: Iterable[LogItem]) -> None:
    """Write the items, 25 per request."""
    with LogItem.batch_write() as batch:
        for item in items:
            batch.save(item)


def logs() -> list[LogItem]:
    """Return all logs of the table, without its part items and choices items."""
    return list(LogItem.scan(LogItem.account_id.exists()))
