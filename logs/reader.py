"""Read logs: the only place that queries the table."""

import math
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import islice

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException

from logs import document, parts, times
from logs.merge import Budget, Cost, Merge, is_expired, side_by_side
from logs.models import ChoicesItem, LogItem, partition_key
from logs.plan import Direction, Key, Position, QueryPlan

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
MAX_BATCH_GET = 100
# Read consistently.
READ_UNIT_BYTES = 4096


# What PynamoDB and botocore raise where DynamoDB refuses or does not answer.
STORE_ERRORS = (PynamoDBException, BotoCoreError)
# The log line of whoever answers without the store. The runbook looks for it.
AWAY = "DynamoDB is away: %s"


class StoreUnavailable(Exception):
    """DynamoDB refused, did not answer in time, or has no such table."""


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
    """What lies from a position on, in the order of reading; `onward` is None where nothing more does."""

    items: list[LogItem]
    onward: Key | None
    complete: bool


def get(log_id: str) -> LogItem | None:
    """Return the log with that id, in any spelling of a UUID, or None where there is none (any more).

    Costs one GetItem, and one BatchGetItem for a log that is too large for one item. Raises StoreUnavailable.
    """
    try:
        key = uuid.UUID(log_id).hex
    except ValueError:
        return None
    try:
        item = LogItem.get(key)
        if not is_expired(item):
            parts.make_whole(item)
    except LogItem.DoesNotExist:
        return None
    except STORE_ERRORS as error:
        raise StoreUnavailable(str(error)) from error
    return None if is_expired(item) else item


@dataclass(frozen=True)
class Choices:
    """The types and sub types that logs were seen with, as far as they are noted."""

    types: list[str]
    sub_types: list[str]


def choices() -> Choices:
    """Return the types and sub types that there are, in alphabetical order. Costs one GetItem.

    Raises StoreUnavailable.
    """
    try:
        item = ChoicesItem.get("choices")
    except ChoicesItem.DoesNotExist:
        return Choices([], [])
    except STORE_ERRORS as error:
        raise StoreUnavailable(str(error)) from error
    return Choices(sorted(item.types, key=str.lower), sorted(item.sub_types, key=str.lower))


def read_page(
    plan: QueryPlan,
    position: Position | None,
    limit: int,
    budget: Budget = Budget(),  # noqa: B008  frozen
) -> Page:
    """Return the page of at most `limit` logs that begins at a position, or the first page.

    Costs one Query of `limit` + 1 items for one stream, and less than twice the page for several even
    ones. Raises StoreUnavailable.
    """
    cost = Cost()
    read = _read(plan, position, limit, budget, cost)
    back = position is not None and position.direction is Direction.PREVIOUS
    onward = Position(Direction.PREVIOUS if back else Direction.NEXT, read.onward) if read.onward else None
    origin = _origin(plan, position, read.items)
    reached = times.parse(read.onward.created_at) if read.onward and not read.complete else None
    if back:
        return Page(read.items[::-1], origin, onward, read.complete, reached, cost)
    return Page(read.items, onward, origin, read.complete, reached, cost)


def read_around(
    plan: QueryPlan,
    item: LogItem,
    limit: int,
    budget: Budget = Budget(),  # noqa: B008  frozen
) -> Page:
    """Return the page with this log in its middle, whether the filter asks for the log or not.

    Costs what two pages of half the size cost. Raises StoreUnavailable.
    """
    cost = Cost()
    key = _key(plan, item)
    half = (limit - 1) // 2
    before = (
        _read(plan, Position(Direction.PREVIOUS, key), half, budget, cost) if half else _Read([], key, True)
    )
    rest = limit - 1 - half
    after = _read(plan, Position(Direction.NEXT, key), rest, budget, cost) if rest else _Read([], key, True)
    return Page(
        [*before.items[::-1], item, *after.items],
        next=Position(Direction.NEXT, after.onward) if after.onward else None,
        previous=Position(Direction.PREVIOUS, before.onward) if before.onward else None,
        complete=before.complete and after.complete,
        cost=cost,
    )


def after(plan: QueryPlan, item: LogItem) -> Position:
    """Return the position of what follows a log of a plan."""
    return Position(Direction.NEXT, _key(plan, item))


def _read(plan: QueryPlan, position: Position | None, limit: int, budget: Budget, cost: Cost) -> _Read:
    """Read on from a position until the page is full, or to the end, or until the budget is spent."""
    merge = Merge(plan, position, limit, budget, cost)
    # One more tells whether there is a next page; under a filter it might be far away.
    wanted = limit + 1 if plan.filter.needs_no_post_filter else limit
    search = _Search(merge, plan, budget, cost)
    try:
        items = _row_of_the_cut(position, cost)
        items += islice(search, wanted - len(items))
    except (*STORE_ERRORS, TimeoutError) as error:
        raise StoreUnavailable(str(error)) from error
    finally:
        cost.seconds = time.monotonic() - cost.started
    if len(items) > limit:
        return _Read(items[:limit], _key(plan, items[limit - 1]), complete=True)
    if search.ended:
        cut = merge.cut
        if cut and items and items[-1].id == cut.id:
            cut = _key(plan, items[-1])  # the last one looked at is a row
        return _Read(items, cut, complete=cut is None)
    # Full. Whether there is more is known only where nothing was left to look at.
    is_end = merge.exhausted and plan.filter.search_text is None
    return _Read(items, None if is_end else _key(plan, items[-1]), complete=True)


def _row_of_the_cut(position: Position | None, cost: Cost) -> list[LogItem]:
    """Return the log that a position includes, where it is still there: DynamoDB starts after it."""
    if position is None or position.key is None or not (position.inclusive and position.key.is_row):
        return []
    cost.queries += 1
    cost.read_units += 0.5
    item = get(position.key.id)
    return [item] if item else []


class _Search:
    """The logs of a merge in which the text is found that the filter looks for; all, where it looks for none.

    `ended` tells whether there was nothing more to look at, or no budget: not that enough was found.
    """

    def __init__(self, merge: Merge, plan: QueryPlan, budget: Budget, cost: Cost) -> None:
        self.ended = False
        self._merge = merge
        self._plan = plan
        self._budget = budget
        self._cost = cost

    def __iter__(self) -> Iterator[LogItem]:
        text = self._plan.filter.search_text
        yield from self._merge if text is None else self._found(text)
        self.ended = True

    def _found(self, text: str) -> Iterator[LogItem]:
        candidates = iter(self._merge)
        while chunk := list(islice(candidates, MAX_BATCH_GET)):
            matching = self._matching(chunk, text)
            yield from (item for item in chunk if item.id in matching)
            if self._is_spent() and not self._merge.exhausted:
                self._merge.cut = replace(_key(self._plan, chunk[-1]), is_row=False)
                return

    def _is_spent(self) -> bool:
        cost, budget = self._cost, self._budget
        return (
            cost.payloads >= budget.payloads
            or cost.payload_bytes >= budget.payload_bytes
            or cost.exceeds(budget)
        )

    def _matching(self, chunk: list[LogItem], text: str) -> set[str]:
        """Return the ids of the logs that hold the text: the url is at hand, the payload is fetched."""
        ids = {item.id for item in chunk if text in item.url}
        for item in self._fetched([item.id for item in chunk if item.id not in ids and item.payload_size]):
            if text in (document.content(item)["payload_text"] or ""):
                ids.add(item.id)
        return ids

    def _fetched(self, ids: list[str]) -> Iterable[LogItem]:
        """Fetch what holds the payloads of these logs; one that is gone meanwhile is left out."""
        table = LogItem.Meta.table_name
        keys = [{"id": log_id} for log_id in ids]
        while keys:
            fetch = partial(LogItem._get_connection().batch_get_item, keys)  # type: ignore[arg-type]  # its own type is wrong
            [answer] = side_by_side([fetch], self._cost)
            self._cost.queries += 1
            # MiniStack leaves it out.
            used = answer.get("ConsumedCapacity", [])
            self._cost.read_units += sum(each["CapacityUnits"] for each in used)
            for raw in answer["Responses"].get(table, []):
                item = LogItem.from_raw_data(raw)
                self._cost.payloads += 1
                self._make_whole(item)
                self._cost.payload_bytes += len(item.payload or "") + len(item.document or b"")
                yield item
            # What did not fit in 16 MB, or was throttled.
            left = answer["UnprocessedKeys"].get(table, {}).get("Keys", [])
            keys = [{"id": key["id"]["S"]} for key in left]

    def _make_whole(self, item: LogItem) -> None:
        if document.part_ids(item.id, item.document):
            side_by_side([partial(parts.make_whole, item)], self._cost)
            self._cost.queries += 1
            self._cost.read_units += math.ceil(len(item.document or b"") / READ_UNIT_BYTES)


def _key(plan: QueryPlan, item: LogItem) -> Key:
    return Key(times.to_text(item.created_at), item.id, partition_key(item, plan.index), is_row=True)


def _origin(plan: QueryPlan, position: Position | None, items: list[LogItem]) -> Position | None:
    """Return the position that leads back to where the reading came from; a first page came from nowhere.

    `items` are in the order of reading. From an empty page the way back includes the log of the cut
    itself: it was on the page before.
    """
    if position is None or position.key is None:
        return None
    turned = Direction.PREVIOUS if position.direction is Direction.NEXT else Direction.NEXT
    if items:
        return Position(turned, _key(plan, items[0]))
    return Position(turned, position.key, inclusive=True)
