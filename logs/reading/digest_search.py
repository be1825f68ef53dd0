"""Text search by digests.

Blocks have the texts of logs, so only logs with the text are fetched.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, groupby
from typing import TYPE_CHECKING, cast

from logs.digests.blocks import MAX_LOG_BYTES
from logs.digests.chunks import Chunk
from logs.digests.late import LateItem
from logs.digests.moments import to_time
from logs.digests.segment_writer import BlockHead
from logs.models import LogItem
from logs.plan import Key, Position
from logs.reading.digest_read import BLOCKS_IN_MEMORY, DigestRead
from logs.reading.log_match import LogMatch
from logs.reading.search import TextSearch
from logs.times import to_text

if TYPE_CHECKING:
    from logs.reading.page import PageRead

# Blocks are read in groups that grow: a frequent text is in the first ones.
FIRST_BLOCKS = 2
# If few of the fetched logs match, the next group is larger.
MAX_CANDIDATES = 400


@dataclass(frozen=True, order=True)
class Candidate:
    """A log that may match. `place` is its place in a window, in reading order.

    `status` is its partition key, or None if no block has the log. `size` is about its size.
    """

    place: tuple[int, int]
    moment: int
    log_id: str
    status: str | None
    size: int = field(default=MAX_LOG_BYTES, compare=False)


class DigestSearch(DigestRead):
    """The logs of a plan that contain a text, in reading order."""

    def __init__(self, read: "PageRead", position: Position | None, limit: int, match: LogMatch) -> None:
        super().__init__(read, position, limit, match)
        self._group = limit
        self._blocks = FIRST_BLOCKS
        self._stopped: int | None = None
        # Where a page continues that has examined no further candidate of the window.
        self._examined: Key | None = None

    def _index_stage(self, start: int, end: int, position: Position | None) -> TextSearch:
        return TextSearch(self._read, self._merge(start, end, position), self._match)

    def _window_rows(self, window: list[Chunk]) -> Iterator[LogItem]:
        group: list[Candidate] = []
        self._stopped = self._examined = None
        for each in self._candidates(window):
            if isinstance(each, Candidate):
                group.append(each)
                if not self._is_full(group):
                    continue
            yield from self._matching(group)
            group = []
            if not (self._cut or isinstance(each, Candidate)):
                yield from self._index_rows(each, each + 1)
                self._examined = self._place(each + 1 if self._ascends else each - 1)
            if self._cut:
                return
        yield from self._matching(group)
        if self._stopped is not None and not self._cut:
            self._cut = self._place(self._stopped)

    def _is_full(self, group: list[Candidate]) -> bool:
        """Return whether a group is fetched: it has enough logs, or the rest of the budget allows no more."""
        budget, cost = self._read.budget, self._read.cost
        return (
            len(group) >= min(self._group, budget.payloads - cost.payloads)
            or sum(each.size for each in group) >= budget.payload_bytes - cost.payload_bytes
        )

    def _matching(self, group: list[Candidate]) -> Iterator[LogItem]:
        """Fetch candidates and yield those that match. Set the cut if the budget ends before."""
        if not group:
            return
        if self._examined and self._read.is_spent_on_payloads:
            self._cut = self._examined
            return
        logs = self._logs.fetch([each.log_id for each in group])
        matching = 0
        for each in group:
            item = logs.get(each.log_id)
            if item and self._is_match(item):
                matching += 1
                yield item
            if status := item.status if item else each.status:
                self._examined = Key(to_text(to_time(each.moment)), each.log_id, status)
            if self._examined and each is not group[-1] and self._read.is_spent_on_payloads:
                self._cut = self._examined
                return
        if 2 * matching < len(group):
            self._group = min(2 * self._group, MAX_CANDIDATES)

    @property
    def _is_spent(self) -> bool:
        return self._read.is_spent or self._read.is_spent_on_payloads

    def _is_match(self, item: LogItem) -> bool:
        return self._match.is_match(item) and self._match.is_in_content(self._logs.content(item))

    def _candidates(self, window: list[Chunk]) -> Iterator[Candidate | int]:
        """Yield the candidates of a window in reading order.

        A moment stands for all its logs, whose order only the index knows: those of a block and late ones.
        """
        late: Iterator[Candidate | LateItem] = chain.from_iterable(chunk.late for chunk in window)
        indexed = frozenset().union(*(chunk.indexed for chunk in window))
        # At the same moment, late logs come first.
        candidates: Iterator[Candidate | LateItem] = self._block_candidates(window)
        merged = heapq.merge(late, candidates, key=_moment, reverse=not self._ascends)
        for moment, group in groupby(merged, key=_moment):
            if self._is_stopped(moment):
                return
            late_ids: dict[str, None] = {}
            in_blocks: Iterator[Candidate] = iter(())
            for each in group:
                if isinstance(each, Candidate):
                    in_blocks = chain([each], cast("Iterator[Candidate]", group))  # noqa: B031  the rest of it
                    break
                late_ids[each.log_id] = None
            if not late_ids:
                if moment not in indexed:
                    yield from in_blocks
                continue
            candidates_of_moment = list(in_blocks)
            if self._is_stopped(moment):
                return
            for candidate in candidates_of_moment:
                late_ids.pop(candidate.log_id, None)
            if moment in indexed or (late_ids and len(late_ids) + len(candidates_of_moment) > 1):
                yield moment
            else:
                yield from candidates_of_moment
                yield from (Candidate((0, 0), moment, log_id, None) for log_id in late_ids)

    def _block_candidates(self, window: list[Chunk]) -> Iterator[Candidate]:
        """Yield the logs of a window whose blocks have the text, in reading order.

        Costs one BatchGetItem per group of up to 50 blocks, one read unit a block.
        """
        unread = sorted(
            (self._place_of(number, head), number, head)
            for number, (_, heads) in enumerate(self._heads(window))
            for head, may_match in heads
            if may_match
        )
        pending: list[Candidate] = []
        while unread:
            group, unread = unread[: self._blocks], unread[self._blocks :]
            self._blocks = min(2 * self._blocks, BLOCKS_IN_MEMORY)
            for candidate in self._read_blocks(window, group):
                heapq.heappush(pending, candidate)
            # Blocks of logs that expire at other times overlap.
            while pending and (not unread or pending[0].place < unread[0][0]):
                yield heapq.heappop(pending)
            if unread and self._read.is_spent:
                head = unread[0][2]
                stop = max(head.start, self._begin) if self._ascends else min(head.end, self._begin)
                if stop != self._begin:
                    self._stopped = stop
                    return

    def _is_stopped(self, moment: int) -> bool:
        """Return whether the blocks of a moment were not all read, because the budget is spent."""
        if self._stopped is None:
            return False
        return moment >= self._stopped if self._ascends else moment <= self._stopped

    def _place_of(self, number: int, head: BlockHead) -> tuple[int, int]:
        """Return the place of the first log of a block in reading order."""
        return number, head.first if self._ascends else -head.last

    def _read_blocks(
        self, window: list[Chunk], group: list[tuple[tuple[int, int], int, BlockHead]]
    ) -> Iterator[Candidate]:
        blocks = self._entries([(window[number], head) for _, number, head in group])
        for (_, number, _), (_, _, entries, size) in zip(group, blocks, strict=True):
            for entry in entries:
                place = entry.number if self._ascends else -entry.number
                yield Candidate((number, place), entry.moment, entry.log_id, entry.status, size)


def _moment(each: Candidate | LateItem) -> int:
    return each.moment
