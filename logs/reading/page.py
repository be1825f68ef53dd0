"""One page of a plan: its logs, its neighbours and its cost."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from pynamodb.models import Model

from logs import times
from logs.digests import generations
from logs.models import LogItem, TableMeta
from logs.plan import Direction, Key, Position, QueryPlan, key_of
from logs.reading.budget import Budget, Cost
from logs.reading.digest_ranges import DigestRanges
from logs.reading.digest_read import DigestRead
from logs.reading.digest_search import DigestSearch
from logs.reading.log_match import LogMatch
from logs.reading.merge import Merge
from logs.reading.search import TextSearch
from logs.storage import deadline, dynamodb, items
from logs.storage.digest_items import DigestItem, digests_unavailable
from logs.storage.dynamodb import MAX_BATCH_GET, Usage, capacity_units

T = TypeVar("T")

# As many threads as PynamoDB's connection pool has connections.
_POOL = ThreadPoolExecutor(TableMeta.max_pool_connections, thread_name_prefix="logs-reader")
# A page answers within 10 s. One request that is retried until it fails takes 9 s.
MAX_SECONDS = 9.5
# BatchGetItems that a page sends at once.
MAX_PARALLEL = 8


@dataclass(frozen=True)
class Page:
    """A page of logs in the filter's order, and the positions of its neighbours.

    `next` is None only at the end of the order, `previous` at its beginning. A page that is not `complete`
    ran out of its budget: it may hold fewer logs than its limit. Its `next` (or `previous`, if it was read
    backwards) continues after the last item examined, whose time is `reached`.
    """

    items: list[LogItem]
    next: Position | None
    previous: Position | None
    complete: bool = True
    reached: datetime | None = None
    cost: Cost = field(default_factory=Cost)


@dataclass(frozen=True)
class _Rows:
    """Logs from a position on, in reading order; `onward` is None at the end of the order."""

    items: list[LogItem]
    onward: Key | None
    complete: bool = True


class PageRead:
    """The read of one page: the plan, budget, cost and deadline of its stages.

    The stages are `Merge` and, on top of it, `TextSearch`: each yields logs and knows its cut.
    """

    def __init__(self, plan: QueryPlan, budget: Budget, *, inline: bool = False) -> None:
        """Start the clock: the deadline is MAX_SECONDS from the start of the request, or from now.

        `inline` is for a thread of a caller that has a timeout. A single request then needs no other thread.
        """
        self.plan = plan
        self.budget = budget
        self.cost = Cost()
        self._inline = inline
        self._started = deadline.now()
        # Reading the session and the user counts against the page's limits.
        self._seconds_before = deadline.elapsed()

    def page(self, position: Position | None, limit: int) -> Page:
        """Return a page of at most `limit` logs. Without a position it is the first page."""
        part = self._read_rows(position, limit)
        is_back = position is not None and position.direction is Direction.PREVIOUS
        direction = Direction.PREVIOUS if is_back else Direction.NEXT
        onward = Position(direction, part.onward) if part.onward else None
        origin = self._origin(position, part.items)
        cut = part.onward if not part.complete else None
        reached = times.parse(cut.created_at) if cut else None
        if is_back:
            return Page(part.items[::-1], origin, onward, part.complete, reached, self.cost)
        return Page(part.items, onward, origin, part.complete, reached, self.cost)

    def around(self, item: LogItem, limit: int) -> Page:
        """Return the page with this log in its middle. The log need not match the filter."""
        key = key_of(self.plan, item)
        half = (limit - 1) // 2
        rest = limit - 1 - half
        before = self._read_rows(Position(Direction.PREVIOUS, key), half) if half else _Rows([], key)
        after = self._read_rows(Position(Direction.NEXT, key), rest) if rest else _Rows([], key)
        return Page(
            [*before.items[::-1], item, *after.items],
            next=Position(Direction.NEXT, after.onward) if after.onward else None,
            previous=Position(Direction.PREVIOUS, before.onward) if before.onward else None,
            complete=before.complete and after.complete,
            cost=self.cost,
        )

    @property
    def is_spent(self) -> bool:
        """Return whether the budget of items or seconds is spent."""
        return self.budget.is_spent(self.cost, self._request_seconds) or deadline.is_over()

    @property
    def is_spent_on_payloads(self) -> bool:
        """Return whether the budget of payloads or seconds is spent."""
        return self.budget.is_spent_on_payloads(self.cost, self._request_seconds) or deadline.is_over()

    @property
    def examinable(self) -> int:
        """Return how many items the budget still allows."""
        return self.budget.examined - self.cost.examined

    @property
    def seconds(self) -> float:
        """Return how long the reading has taken."""
        return deadline.now() - self._started

    def request(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """Send DynamoDB requests in parallel; return their responses in order. Their cost is counted.

        Raise TimeoutError at the deadline.
        """
        responses = self.call(calls)
        for response in responses:
            self.cost.queries += 1
            self.cost.read_units += capacity_units(response)
        return responses

    def get_all(
        self,
        model: type[Model],
        keys: Sequence[dict[str, str]],
        size: int = MAX_BATCH_GET,
        *,
        consistent: bool = False,
    ) -> list[dict[str, Any]]:
        """Return the raw items of these keys, in no order.

        Items that do not exist are left out. Costs one BatchGetItem for `size` keys, up to
        MAX_PARALLEL at once, at twice the read units if it is consistent. Raise TimeoutError at the deadline.
        """
        batches = [keys[start : start + size] for start in range(0, len(keys), size)]
        raws: list[dict[str, Any]] = []
        for start in range(0, len(batches), MAX_PARALLEL):
            parallel = batches[start : start + MAX_PARALLEL]
            calls = [partial(_batch_get, model, batch, consistent) for batch in parallel]
            for batch_items, usage in self.call(calls):
                self.cost.add_usage(usage)
                raws += batch_items
        return raws

    def request_digests(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """Send requests to the table of digests, as `request` does. Raise DigestsUnavailable."""
        with digests_unavailable():
            return self.request(calls)

    def get_digests(
        self, keys: Sequence[dict[str, str]], size: int = MAX_BATCH_GET
    ) -> dict[tuple[str, str], bytes]:
        """Return the data of items of digests by partition and sort key.

        Costs as `get_all`. Raise DigestsUnavailable.
        """
        with digests_unavailable():
            raws = self.get_all(DigestItem, keys, size)
        return {(raw["partition"]["S"], raw["sort"]["S"]): raw["data"]["B"] for raw in raws}

    def get_listed(
        self, keys: Sequence[dict[str, str]], size: int = MAX_BATCH_GET
    ) -> dict[tuple[str, str], bytes]:
        """Return the data of items of listed generations, as `get_digests`. Raises ItemMissing too."""
        items = self.get_digests(keys, size)
        generations.check_items(keys, items)
        return items

    def call(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        """Run calls in parallel; return their results in order.

        Raise TimeoutError at the deadline. A call that hangs is left to its own timeouts.
        """
        if self._inline and len(calls) == 1:
            return [calls[0]()]
        # A thread of the pool gets the deadline from a copy of the context.
        futures = [_POOL.submit(copy_context().run, call) for call in calls]
        try:
            return [future.result(MAX_SECONDS - self._request_seconds) for future in futures]
        except BaseException:
            for future in futures:
                future.cancel()
            raise

    @property
    def _request_seconds(self) -> float:
        return self._seconds_before + self.seconds

    def _read_rows(self, position: Position | None, limit: int) -> _Rows:
        """Read from a position until there are enough rows, the order ends or the budget is spent."""
        stage = self._stage(position, limit)
        # One more log shows whether there is a next page. With a post-filter it could be far away.
        wanted = limit + 1 if self.plan.needs_no_post_filter else limit
        try:
            rows = self._included_row(position)
            rows += islice(stage, wanted - len(rows))
        finally:
            self.cost.seconds = self.seconds
        if len(rows) > limit:
            return _Rows(rows[:limit], key_of(self.plan, rows[limit - 1]))
        if len(rows) < wanted:
            return self._ended(rows, stage.cut)
        # Full. It is the last page only if nothing is left to examine.
        is_end = isinstance(stage, Merge) and stage.is_exhausted
        return _Rows(rows, None if is_end else key_of(self.plan, rows[-1]))

    def _stage(self, position: Position | None, limit: int) -> Merge | TextSearch | DigestRead:
        """Return the logs from a position on: from digests if the plan says so, otherwise from the index."""
        match = LogMatch(self.plan)
        needs_documents = self.plan.filter.needs_documents
        if self.plan.uses_digests:
            return (DigestSearch if needs_documents else DigestRanges)(self, position, limit, match)
        merge = Merge(self, position, limit)
        return TextSearch(self, merge, match) if needs_documents else merge

    def _ended(self, rows: list[LogItem], cut: Key | None) -> _Rows:
        """Return the rows of a stage that has ended, at the end of the order or at a cut."""
        if cut and rows and rows[-1].id == cut.id:
            cut = key_of(self.plan, rows[-1])  # the last item examined is a row
        return _Rows(rows, cut, complete=cut is None)

    def _included_row(self, position: Position | None) -> list[LogItem]:
        """Return the log that an inclusive position names, if it still exists: queries start after it."""
        if position is None or position.key is None or not (position.inclusive and position.key.is_row):
            return []
        item, usage = items.get_with_usage(position.key.id)
        self.cost.add_usage(usage)
        return [item] if item and not self.plan.hides(item) else []

    def _origin(self, position: Position | None, rows: list[LogItem]) -> Position | None:
        """Return the position that leads back to the page before; a first page has none.

        `rows` are in reading order. The way back from an empty page includes the log of the position itself,
        which was on the page before.
        """
        if position is None or position.key is None:
            return None
        direction = Direction.PREVIOUS if position.direction is Direction.NEXT else Direction.NEXT
        if rows:
            return Position(direction, key_of(self.plan, rows[0]))
        return Position(direction, position.key, inclusive=True)


def _batch_get(
    model: type[Model], keys: Sequence[dict[str, str]], consistent: bool
) -> tuple[list[dict[str, Any]], Usage]:
    usage = Usage()
    return dynamodb.batch_get_all(model, keys, consistent=consistent, usage=usage), usage
