"""Read pages of logs: the only place that queries the table."""

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.condition import Condition

from logs import times
from logs.models import INDEXES, LogItem
from logs.plan import Direction, Key, Order, Position, QueryPlan

# How much one page may look at before it shows what it has and goes on from there.
MAX_EXAMINED = 50_000
MAX_SECONDS = 5.0
# After a first answer that was short, the next ones are asked for in bulk.
BULK = 1_000


class StoreUnavailable(Exception):
    """DynamoDB refused, did not answer in time, or has no such table."""


@dataclass
class Cost:
    """What reading a page took: items looked at, requests made, read units, seconds."""

    examined: int = 0
    queries: int = 0
    read_units: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True)
class Page:
    """A page of logs in the order asked for, and the positions of its neighbours.

    `next` is None only where the order ends, `previous` where it begins. A page that is not `complete`
    ran out of its budget: it may hold fewer logs than asked for, and `next` (or `previous`, when reading
    back) goes on after the last item examined, whose time is `reached`.
    """

    items: list[LogItem]
    next: Position | None
    previous: Position | None
    complete: bool = True
    reached: datetime | None = None
    cost: Cost = field(default_factory=Cost)


@dataclass(frozen=True)
class _Read:
    """What lies from a position on, in the direction of reading: at most one log more than asked for."""

    items: list[LogItem]
    last_examined: Key | None
    exhausted: bool


def get(log_id: str) -> LogItem | None:
    """Return the log with that id, in any spelling of a UUID, or None where there is none (any more).

    Raises StoreUnavailable.
    """
    try:
        key = uuid.UUID(log_id).hex
    except ValueError:
        return None
    try:
        item = LogItem.get(key)
    except LogItem.DoesNotExist:
        return None
    except (PynamoDBException, BotoCoreError) as error:
        raise StoreUnavailable(str(error)) from error
    return None if _expired(item) else item


def read_page(plan: QueryPlan, position: Position | None, limit: int) -> Page:
    """Return the page of at most `limit` logs that begins at a position, or the first page.

    Costs one Query of `limit` + 1 items, unless expired logs lie among them. Raises StoreUnavailable.
    """
    started = time.monotonic()
    cost = Cost()
    back = position is not None and position.direction is Direction.PREVIOUS
    try:
        read = _read(plan, position, limit, back=back, cost=cost)
    except (PynamoDBException, BotoCoreError) as error:
        raise StoreUnavailable(str(error)) from error
    items = read.items[:limit]
    # Where the reading went on: the log before the one too many, or the last one looked at.
    cut = _key(items[-1]) if len(read.items) > limit else read.last_examined
    onward = None if read.exhausted else cut
    # The way back to where it came from: nothing came before a first page, or after the end.
    origin = _origin(position, items)
    if back:
        items.reverse()
        next_, previous = origin, _beside(Direction.PREVIOUS, onward)
    else:
        next_, previous = _beside(Direction.NEXT, onward), origin
    complete = read.exhausted or len(read.items) > limit
    reached = None if complete or read.last_examined is None else times.parse(read.last_examined.created_at)
    cost.seconds = time.monotonic() - started
    return Page(items, next_, previous, complete, reached, cost)


def _read(plan: QueryPlan, position: Position | None, limit: int, *, back: bool, cost: Cost) -> _Read:
    """Read on from a position until there is one log more than asked for, or the end, or no budget left."""
    items: list[LogItem] = []
    last_examined: Key | None = None
    deadline = time.monotonic() + MAX_SECONDS
    for answer in _answers(plan, position, limit + 1, back=back):
        cost.queries += 1
        cost.examined += answer["ScannedCount"]
        cost.read_units += answer["ConsumedCapacity"]["CapacityUnits"]
        found = [LogItem.from_raw_data(raw) for raw in answer["Items"]]
        items += [item for item in found if not _expired(item)]
        if last := answer.get("LastEvaluatedKey"):
            last_examined = Key(last["created_at"]["S"], last["id"]["S"])
        spent = cost.examined >= MAX_EXAMINED or time.monotonic() > deadline
        if len(items) > limit or (last and spent):
            return _Read(items, last_examined, exhausted=False)
    return _Read(items, last_examined, exhausted=True)


def _answers(
    plan: QueryPlan, position: Position | None, wanted: int, *, back: bool
) -> Iterator[dict[str, Any]]:
    """Yield DynamoDB's raw answers, one request each, until the stream ends."""
    stream = plan.stream
    result = INDEXES[stream.index].query(
        stream.key,
        range_key_condition=_range(plan, position),
        scan_index_forward=(plan.filter.order is Order.OLDEST) is not back,
        last_evaluated_key=_start_key(plan, position),
        page_size=wanted,
    )
    # Iterating the result itself would read on without a bound.
    for answer in result.page_iter:
        yield answer
        result.page_iter.page_size = max(wanted, BULK)


def _range(plan: QueryPlan, position: Position | None) -> Condition | None:
    """Return the condition on the time: the plan's range, narrowed where the position includes its own."""
    low, high = plan.low, plan.high
    if position and position.inclusive and position.key:
        towards_later = (plan.filter.order is Order.OLDEST) is (position.direction is Direction.NEXT)
        if towards_later:
            low = times.parse(position.key.created_at)
        else:
            high = times.parse(position.key.created_at)
    if low and high:
        return LogItem.created_at.between(low, high)
    if low:
        return LogItem.created_at >= low
    if high:
        return LogItem.created_at <= high
    return None


def _start_key(plan: QueryPlan, position: Position | None) -> dict[str, dict[str, str]] | None:
    """Return the key that DynamoDB starts after: always a real log's, never a made-up one."""
    if position is None or position.key is None or position.inclusive:
        return None
    partition = INDEXES[plan.stream.index]._hash_key_attribute().attr_name
    return {
        "id": {"S": position.key.id},
        partition: {"S": plan.stream.key},
        "created_at": {"S": position.key.created_at},
    }


def _key(item: LogItem) -> Key:
    return Key(times.to_text(item.created_at), item.id)


def _beside(direction: Direction, key: Key | None) -> Position | None:
    return Position(direction, key) if key else None


def _origin(position: Position | None, items: list[LogItem]) -> Position | None:
    """Return the position that leads back to where the reading came from.

    `items` are in the order of reading. From an empty page the way back includes the log of the cut
    itself: it was on the page before.
    """
    if position is None or position.key is None:
        return None
    turned = Direction.PREVIOUS if position.direction is Direction.NEXT else Direction.NEXT
    if items:
        return Position(turned, _key(items[0]))
    return Position(turned, position.key, inclusive=True)


def _expired(item: LogItem) -> bool:
    """Tell whether a log's time is over; DynamoDB's TTL deletes it within days, not at once."""
    return item.expires_at is not None and item.expires_at <= datetime.now(UTC)
