"""One stream: the logs under one partition key, queried page by page."""

import math
import time
from collections import deque
from datetime import datetime
from typing import Any

from pynamodb.expressions.condition import Condition

from logs import times
from logs.index_choice import Stream
from logs.models import INDEXES, LogItem, partition_attribute
from logs.plan import Key, QueryPlan, Span
from logs.storage.raw_items import is_expired, to_log

# How many items one filtered query examines, at least and at most. A response holds 1 MB, which is about
# 4,000 projected logs:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html
MIN_FILTERED, MAX_FILTERED = 200, 10_000


class StreamReader:
    """One stream of a plan: its unread logs, and how far it was read."""

    def __init__(self, plan: QueryPlan, stream: Stream, span: Span, page_size: int, *, ascends: bool) -> None:
        self.items: deque[LogItem] = deque()
        # The last key that DynamoDB examined; None before the first query.
        self.last: Key | None = None
        self.is_started = self.is_exhausted = False
        self.stream = stream
        self._index = INDEXES[stream.index]
        self._partition = partition_attribute(stream.index)[1]
        self._span = span
        self._condition = plan.condition
        # The second query is usually small: the page lacks few logs. After that the size doubles.
        self._page_size, self._next_page_size = page_size, max(2, page_size // 2)
        self._ascends = ascends

    @property
    def is_open(self) -> bool:
        """Return whether the stream has, or may have, more logs."""
        return bool(self.items) or not self.is_exhausted

    @property
    def progress(self) -> tuple[str, str]:
        """Return the time and the partition key up to which the stream is known.

        That is its first unread log, or else the last key examined.
        """
        if self.items:
            return times.to_text(self.items[0].created_at), self.stream.key
        return (self.last.created_at if self.last else ""), self.stream.key

    def query(self, limit: int) -> dict[str, Any]:
        """Return DynamoDB's raw response to one query that examines at most `limit` items."""
        start = self.last or self._span.start
        result = self._index.query(
            self.stream.key,
            range_key_condition=between(self._span.low, self._span.high),
            filter_condition=self._condition,
            scan_index_forward=self._ascends,
            last_evaluated_key=self._start_key(start) if start else None,
            page_size=min(self._page_size, limit),
        )
        # Iterating over the result itself would read on without a limit.
        response: dict[str, Any] = next(result.page_iter)
        self._page_size, self._next_page_size = (
            self._next_page_size,
            min(self._next_page_size * 2, MAX_FILTERED),
        )
        return response

    def add(self, response: dict[str, Any]) -> None:
        """Add the logs of a response, without expired ones: TTL deletes them days later."""
        self.is_started = True
        now = time.time()
        self.items.extend(to_log(raw) for raw in response["Items"] if not is_expired(raw, now))
        if last := response.get("LastEvaluatedKey"):
            self.last = Key(last["created_at"]["S"], last["id"]["S"], self.stream.key)
        else:
            self.is_exhausted = True

    def _start_key(self, key: Key) -> dict[str, dict[str, str]]:
        """Return the exclusive start key of a query. It is always the key of a real log."""
        return {
            "id": {"S": key.id},
            self._partition: {"S": self.stream.key},
            "created_at": {"S": key.created_at},
        }


def first_page_size(limit: int, streams: int, *, is_filtered: bool) -> int:
    """Return how many items the first query of each stream reads.

    One stream reads the page and one more. Several streams read an even share and a margin: few streams are
    queried twice, and together they read less than twice the page.
    """
    streams = max(1, streams)
    if is_filtered:
        return max(MIN_FILTERED, limit * 8) // streams + 1
    if streams == 1:
        return limit + 1
    share = limit / streams
    margin = math.ceil(share + 1.5 * math.sqrt(share)) + 1
    return max(min(margin, math.floor(1.8 * share)), math.ceil(share) + 1)


def between(low: datetime | None, high: datetime | None) -> Condition | None:
    """Return the condition on the time of a log. Both ends are included."""
    if low and high:
        return LogItem.created_at.between(low, high)
    if low:
        return LogItem.created_at >= low
    if high:
        return LogItem.created_at <= high
    return None
