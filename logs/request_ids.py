"""A searched text with the shape of an id. No Django.

It is the id of a log or, if no log has it, a request ID or trace ID.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from pynamodb.expressions.condition import Condition

from logs.models import LogItem


def log_id(text: str | None) -> str | None:
    """Return the hex digits of a UUID in any spelling, or None."""
    try:
        return uuid.UUID(text).hex if text else None
    except ValueError:
        return None


def spellings(text: str) -> tuple[str, ...]:
    """Return the possible spellings of a UUID as request or trace ID.

    They are as typed, without dashes, and with dashes.
    """
    number = uuid.UUID(text)
    return tuple(dict.fromkeys((text, number.hex, str(number))))


def condition(ids: Sequence[str]) -> Condition:
    """Return the condition that an item has one of these IDs."""
    context: Any = LogItem.context  # its fields are attributes at run time
    either: Condition = context.request_id.is_in(*ids) | context.trace_id.is_in(*ids)
    return either


def matches(item: LogItem, ids: Sequence[str]) -> bool:
    """Return whether an item has one of these IDs."""
    return item.request_id in ids or item.trace_id in ids
