"""The whole logs of a range, in the order of SortingIndex."""

import heapq
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from logs.digests.moments import to_moment, to_time
from logs.models import LogItem, SortingIndex, shard_statuses
from logs.storage import dynamodb, parts
from logs.storage.dynamodb import MAX_BATCH_GET
from logs.storage.raw_items import to_log
from logs.times import parse

# The bytes of the payloads that one BatchGetItem reads, before compression: 16 MB is DynamoDB's own limit,
# and a parsed response takes several times its size.
MAX_BATCH_BYTES = 4 * 1024 * 1024
MAX_ITEM_BYTES = 400 * 1024

# The largest number of sorting shards ever used is the larger of these, as for the site.
SHARD_SETTINGS = ("LOGS_SORTING_SHARDS", "LOGS_SORTING_SHARDS_READ")
# Sends requests, and returns their raw responses.
Request = Callable[[list[Callable[[], Any]]], list[Any]]


def default_shards() -> int:
    """Return the number of sorting shards that the environment sets."""
    return max(int(os.environ.get(name) or 1) for name in SHARD_SETTINGS)


@dataclass(frozen=True, slots=True)
class Row:
    """A log in SortingIndex: its moment, its id and the size of its payload."""

    moment: int
    log_id: str
    payload_size: int


def rows(start: int, end: int, shards: int) -> Iterator[Row]:
    """Yield the logs of a range in order of time, then partition key.

    The range is `start` ≤ moment < `end`. Costs one Query per 1 MB of SortingIndex, at least one per
    shard. Raises PynamoDB's and botocore's errors.
    """
    streams = [_stream(status, start, end) for status in shard_statuses(shards)]
    # Rows of one stream stay in its order, because the merge is stable.
    for _, _, raw in heapq.merge(*streams, key=_place):
        size = int(raw["payload_size"]["N"]) if "payload_size" in raw else 0
        yield Row(to_moment(parse(raw["created_at"]["S"])), raw["id"]["S"], size)


def logs(rows: Iterable[Row], *, consistent: bool = False) -> Iterator[LogItem]:
    """Yield the whole logs of rows, with joined parts, in the same order.

    Logs that have expired, or were deleted after the rows were read, are left out. Costs one BatchGetItem per
    100 logs, at twice the read units if it is consistent. Raises PynamoDB's and botocore's errors.
    """
    for keys in _batches(rows):
        raws = {raw["id"]["S"]: raw for raw in dynamodb.batch_get_all(LogItem, keys, consistent=consistent)}
        for key in keys:
            if raw := raws.pop(key["id"], None):
                item = to_log(raw)
                if not item.is_expired:
                    parts.join(item)
                    yield item


def call_each(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run calls one after the other; return their results."""
    return [call() for call in calls]


def first_moment(start: int | None, end: int, shards: int, request: Request = call_each) -> int | None:
    """Return the moment of the first log of a range, or None.

    Costs one Query of one item per shard. `request` sends them, and may count their cost.
    """
    pages = [_query(status, start, end, limit=1).page_iter for status in shard_statuses(shards)]
    responses = request([partial(next, page) for page in pages])
    moments = [
        to_moment(parse(raw["created_at"]["S"])) for response in responses for raw in response["Items"]
    ]
    return min(moments, default=None)


def _place(row: tuple[str, str, dict[str, Any]]) -> tuple[str, str]:
    return row[0], row[1]


def _stream(status: str, start: int, end: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for response in _query(status, start, end).page_iter:
        for raw in response["Items"]:
            yield raw["created_at"]["S"], status, raw


def _query(status: str, start: int | None, end: int, limit: int | None = None) -> Any:
    low, high = _time(start), to_time(end - 1)
    condition = SortingIndex.created_at.between(low, high) if low else SortingIndex.created_at <= high
    return LogItem.sorting_index.query(status, condition, page_size=limit)


def _time(moment: int | None) -> datetime | None:
    return None if moment is None else to_time(moment)


def _batches(rows: Iterable[Row]) -> Iterator[list[dict[str, str]]]:
    """Yield the keys of logs in batches of limited number and size."""
    keys: list[dict[str, str]] = []
    size = 0
    for row in rows:
        keys.append({"id": row.log_id})
        size += min(row.payload_size, MAX_ITEM_BYTES)
        if len(keys) == MAX_BATCH_GET or size >= MAX_BATCH_BYTES:
            yield keys
            keys, size = [], 0
    if keys:
        yield keys
