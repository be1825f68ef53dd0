"""Several streams as one, in the order of a plan: read side by side, each only as far as it is needed."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from pynamodb.expressions.condition import Condition

from logs import times
from logs.models import INDEXES, LogItem, TableMeta
from logs.plan import Key, Position, QueryPlan, Span, Stream

T = TypeVar("T")

# As many as PynamoDB's connection pool holds.
_POOL = ThreadPoolExecutor(TableMeta.max_pool_connections, thread_name_prefix="logs-reader")
# Nobody waits longer for a page: a request that fails three times in a row takes 9 s by itself.
MAX_SECONDS = 9.5

# How many items a filtered request looks at, at least and at most: the answer's limit of 1 MB holds about
# 4,000 logs as the indexes have them.
MIN_FILTERED, MAX_FILTERED = 200, 10_000


@dataclass(frozen=True)
class Budget:
    """What one page may take before it shows what it has and says how far it got."""

    examined: int = 50_000
    payloads: int = 2_000
    payload_bytes: int = 16_000_000
    seconds: float = 5.0


@dataclass
class Cost:
    """What reading a page took: items looked at, requests, payloads fetched, read units, seconds."""

    examined: int = 0
    queries: int = 0
    payloads: int = 0
    payload_bytes: int = 0
    read_units: float = 0.0
    seconds: float = 0.0
    started: float = field(default_factory=time.monotonic, repr=False)

    def exceeds(self, budget: Budget) -> bool:
        """Tell whether the budget for looking at items is spent."""
        return self.examined >= budget.examined or time.monotonic() - self.started > budget.seconds


class Merge:
    """The logs of a plan from a position on, in the order of reading.

    Iterating ends where every stream is exhausted, or where the budget is spent; then `cut` is the last
    examined key of the least advanced stream: whatever lies beyond it has not been given out.
    """

    def __init__(
        self, plan: QueryPlan, position: Position | None, limit: int, budget: Budget, cost: Cost
    ) -> None:
        self.cut: Key | None = None
        self._budget = budget
        self._cost = cost
        self._filtered = bool(plan.filter.post_filters)
        self._first = min if plan.ascends(position) else max
        spans = [(stream, plan.span(stream, position)) for stream in plan.streams]
        condition = plan.filter.condition
        read = [(stream, span) for stream, span in spans if span]
        ask = _first_ask(limit, len(read), filtered=not plan.filter.needs_no_post_filter)
        self._readings = [
            _Reading(stream, span, condition, ask, ascends=plan.ascends(position)) for stream, span in read
        ]

    @property
    def exhausted(self) -> bool:
        """Tell whether everything has been given out."""
        return not self._alive()

    def __iter__(self) -> Iterator[LogItem]:
        # Every stream's first request is made, whatever the budget: without it the cut would not move.
        self._fill(self._readings)
        while alive := self._alive():
            least = self._first(alive, key=_place)
            if least.found:
                yield least.found.popleft()
            elif self._cost.exceeds(self._budget):
                self.cut = least.last
                return
            else:
                self._fill([least])

    def _alive(self) -> list["_Reading"]:
        return [reading for reading in self._readings if reading.found or not reading.exhausted]

    def _fill(self, readings: list["_Reading"]) -> None:
        if not readings:
            return
        room = max(1, (self._budget.examined - self._cost.examined) // len(readings))
        answers = side_by_side([partial(reading.query, room) for reading in readings], self._cost)
        for reading, answer in zip(readings, answers, strict=True):
            reading.take(answer)
            self._cost.queries += 1
            self._cost.examined += answer["ScannedCount"]
            self._cost.read_units += answer["ConsumedCapacity"]["CapacityUnits"]


def side_by_side(calls: Sequence[Callable[[], T]], cost: Cost) -> list[T]:
    """Make the calls at once; return their results, in order.

    Raises TimeoutError when the page has taken MAX_SECONDS: what hangs is left to its own timeouts.
    """
    futures = [_POOL.submit(call) for call in calls]
    try:
        return [future.result(cost.started + MAX_SECONDS - time.monotonic()) for future in futures]
    except BaseException:
        for future in futures:
            future.cancel()
        raise


class _Reading:
    """One stream, read so far: what was found and not yet given out, and how far the reading got."""

    def __init__(
        self, stream: Stream, span: Span, condition: Condition | None, ask: int, *, ascends: bool
    ) -> None:
        self.found: deque[LogItem] = deque()
        self.last: Key | None = None
        self.exhausted = False
        self.stream = stream
        self._index = INDEXES[stream.index]
        self._partition = self._index._hash_key_attribute().attr_name
        self._span = span
        self._condition = condition
        # A stream that has run dry likely needs but little more; one that does so again likely needs much.
        self._ask, self._next_ask = ask, max(2, ask // 2)
        self._ascends = ascends

    def query(self, room: int) -> dict[str, Any]:
        """Return DynamoDB's raw answer to one request for `room` items at most; the next asks for more."""
        start = self.last or self._span.start
        result = self._index.query(
            self.stream.key,
            range_key_condition=_between(self._span.low, self._span.high),
            filter_condition=self._condition,
            scan_index_forward=self._ascends,
            last_evaluated_key=self._start_key(start) if start else None,
            page_size=min(self._ask, room),
        )
        # Iterating the result itself would read on without a bound.
        answer: dict[str, Any] = next(result.page_iter)
        self._ask, self._next_ask = self._next_ask, min(self._next_ask * 2, MAX_FILTERED)
        return answer

    def take(self, answer: dict[str, Any]) -> None:
        """Take in an answer. Logs whose time is over are passed over: TTL deletes them within days."""
        items = [LogItem.from_raw_data(raw) for raw in answer["Items"]]
        self.found.extend(item for item in items if not is_expired(item))
        if last := answer.get("LastEvaluatedKey"):
            self.last = Key(last["created_at"]["S"], last["id"]["S"], self.stream.key)
        else:
            self.exhausted = True

    def _start_key(self, key: Key) -> dict[str, dict[str, str]]:
        """Spell the key that DynamoDB starts after: always a real log's, never a made-up one."""
        return {
            "id": {"S": key.id},
            self._partition: {"S": self.stream.key},
            "created_at": {"S": key.created_at},
        }


def is_expired(item: LogItem) -> bool:
    """Tell whether a log's time is over."""
    return item.expires_at is not None and item.expires_at <= datetime.now(UTC)


def _place(reading: _Reading) -> tuple[str, str]:
    """Return how far a stream has been given out: to its next log, or to where its reading got."""
    if reading.found:
        return times.to_text(reading.found[0].created_at), reading.stream.key
    return (reading.last.created_at if reading.last else ""), reading.stream.key


def _first_ask(limit: int, streams: int, *, filtered: bool) -> int:
    """Return how many items the first request of each stream asks for.

    One stream: the page and one more. Several: an even share and a margin for its chance, so that few
    have to be asked twice, and together less than twice the page.
    """
    streams = max(1, streams)
    if filtered:
        return max(MIN_FILTERED, limit * 8) // streams + 1
    if streams == 1:
        return limit + 1
    share = limit / streams
    margin = math.ceil(share + 1.5 * math.sqrt(share)) + 1
    return max(min(margin, math.floor(1.8 * share)), math.ceil(share) + 1)


def _between(low: datetime | None, high: datetime | None) -> Condition | None:
    if low and high:
        return LogItem.created_at.between(low, high)
    if low:
        return LogItem.created_at >= low
    if high:
        return LogItem.created_at <= high
    return None
