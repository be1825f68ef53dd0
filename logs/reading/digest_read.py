"""The logs of a plan, read by digests.

Signatures exclude most blocks, and only the others are read. Ranges without digests are read from
SortingIndex. Both have the same order, so a page continues exactly, even if digests are built, or built
again, between two pages.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from logs.digests import blocks, coverage
from logs.digests.blocks import Entry
from logs.digests.chunks import Chunk, chunks
from logs.digests.coverage import Covered, Hole
from logs.digests.directory import ItemMissing
from logs.digests.moments import END, FIRST, to_moment, to_time
from logs.digests.segment_writer import BlockHead, block_sort
from logs.models import LogItem
from logs.plan import Direction, Key, Position, QueryPlan, key_of
from logs.reading.log_match import LogMatch, encoded
from logs.reading.merge import Merge
from logs.reading.whole_logs import WholeLogs
from logs.storage.digest_items import DigestsUnavailable
from logs.times import parse, to_text

if TYPE_CHECKING:
    from logs.reading.page import PageRead
    from logs.reading.search import TextSearch

# A window is a number of chunks whose signatures are read together, with about so many logs. It grows, so
# that a frequent text reads little more than it shows.
FIRST_WINDOW, MAX_WINDOW = 1_500, 200_000
BLOCKS_PER_REQUEST, BLOCKS_IN_MEMORY = 50, 400
# A chunk has up to 64 KB of signatures.
CHUNKS_PER_REQUEST, MAX_CHUNKS = 16, 128
# After so many replaced generations, the rest of the page is read without digests.
MAX_RESTARTS = 3


class DigestRead:
    """The logs of a plan from a position on, in reading order.

    Subclasses read the logs of a window of chunks.
    """

    def __init__(self, read: "PageRead", position: Position | None, limit: int, match: LogMatch) -> None:
        self._read = read
        self._match = match
        self._logs = WholeLogs(read)
        self._needles = encoded(match.needles)
        self._plan: QueryPlan = read.plan
        self._position = position
        self._limit = limit
        self._ascends = read.plan.ascends(position)
        self._direction = position.direction if position else Direction.NEXT
        self._cut: Key | None = None
        self._last: LogItem | None = None
        self._reached: Key | None = None
        self._broken: set[str] = set()
        # The first moment that digests answer. A page that ended there would begin there again, for ever.
        self._begin = 0

    @property
    def cut(self) -> Key | None:
        """Return where the reading stopped, or None at the end."""
        return self._cut

    def __iter__(self) -> Iterator[LogItem]:
        for row in self._rows():
            self._last, self._reached = row, key_of(self._plan, row)
            yield row

    def _rows(self) -> Iterator[LogItem]:
        position = self._position
        for _ in range(MAX_RESTARTS):
            try:
                yield from self._rows_from(position)
            except (ItemMissing, DigestsUnavailable) as error:
                if self._reached:
                    position = Position(self._direction, self._reached)
                if isinstance(error, DigestsUnavailable):
                    break
                # The directory is read again. If it still lists the generation, that range has no digests.
                self._broken.add(error.generation)
            else:
                return
        yield from self._index_rows(*self._range(position), position)

    def _rows_from(self, position: Position | None) -> Iterator[LogItem]:
        self._reached = position.key if position else None
        start, end = self._range(position)
        if position and position.key and position.key.partition is not None:
            # Only the index knows which logs of the same moment come after this one.
            moment = to_moment(parse(position.key.created_at))
            yield from self._index_rows(moment, moment + 1, position)
            if self._cut:
                return
            start, end = (max(start, moment + 1), end) if self._ascends else (start, min(end, moment))
        if start >= end:
            return
        self._begin = start if self._ascends else end - 1
        parts = coverage.read(
            start,
            end,
            self._plan.shards,
            self._read.request_digests,
            ascends=self._ascends,
            broken=self._broken,
        )
        # The first chunk after a moment may have been read before.
        size = FIRST_WINDOW if position is None else 2 * FIRST_WINDOW
        last: Hole | Chunk
        for part in self._windows(parts, size):
            if isinstance(part, Hole):
                yield from self._index_rows(part.start, part.end)
                last, before = part, part.start - 1
            else:
                yield from self._window_rows(part)
                # Logs of its first moment may be in the chunk before as well.
                last, before = part[-1], part[-1].start
            if self._cut:
                return
            onward = last.end if self._ascends else before
            self._reached = self._place(onward)
            is_end = last.end >= end if self._ascends else last.start <= start
            if self._is_spent and onward != self._begin and not is_end:
                self._cut = self._reached
                return

    @property
    def _is_spent(self) -> bool:
        """Return whether the page ends after a window."""
        return self._read.is_spent

    def _range(self, position: Position | None) -> tuple[int, int]:
        """Return the range of the plan beyond a position."""
        low, high = self._plan.low, self._plan.high
        start = FIRST if low is None else to_moment(low)
        end = END if high is None else to_moment(high) + 1
        if position and position.key:
            moment = to_moment(parse(position.key.created_at))
            start, end = (max(start, moment), end) if self._ascends else (start, min(end, moment + 1))
        return start, end

    def _windows(self, parts: Iterator[Hole | Covered], size: int) -> Iterator[Hole | list[Chunk]]:
        """Yield holes and windows of chunks. A window has chunks of consecutive segments."""
        window: list[Chunk] = []
        logs, max_chunks = 0.0, CHUNKS_PER_REQUEST
        for part in parts:
            if isinstance(part, Hole):
                if window:
                    yield window
                    window, logs = [], 0
                yield part
                continue
            for chunk in chunks(part, ascends=self._ascends):
                window.append(chunk)
                logs += chunk.logs + len(chunk.late)
                if logs >= size or len(window) >= max_chunks:
                    yield window
                    window, logs = [], 0
                    size, max_chunks = min(2 * size, MAX_WINDOW), min(2 * max_chunks, MAX_CHUNKS)
        if window:
            yield window

    def _window_rows(self, window: list[Chunk]) -> Iterator[LogItem]:
        raise NotImplementedError

    def _index_rows(self, start: int, end: int, position: Position | None = None) -> Iterator[LogItem]:
        """Yield the logs of a range from the index. Set the cut if the budget ends before the range."""
        if start >= end:
            return
        stage = self._index_stage(start, end, position)
        yield from stage
        self._cut = stage.cut

    def _index_stage(self, start: int, end: int, position: Position | None) -> "Merge | TextSearch":
        return self._merge(start, end, position)

    def _merge(self, start: int, end: int, position: Position | None) -> Merge:
        """Return the merge of the index's streams for a part of the plan's range."""
        plan = self._plan.within(
            None if start <= FIRST else to_time(start), None if end >= END else to_time(end - 1)
        )
        # A position without a key is the direction alone.
        position = position or Position(self._direction)
        return Merge(self._read, position, self._limit, plan)

    def _place(self, moment: int) -> Key:
        """Return the key at which a page continues that has read everything before a moment.

        If the last row has that moment, the page continues after this row.
        """
        if self._last and to_moment(self._last.created_at) == moment:
            return key_of(self._plan, self._last)
        return Key(to_text(to_time(min(max(moment, FIRST), END - 1))))

    def _heads(self, window: list[Chunk]) -> list[tuple[Chunk, list[tuple[BlockHead, bool]]]]:
        """Return the blocks of each chunk, and whether they may have a matching log.

        Costs one BatchGetItem for 16 chunks, all at once: 8 read units a chunk. Raises ItemMissing.
        """
        data = self._read.get_listed([chunk.key for chunk in window if chunk.key], CHUNKS_PER_REQUEST)
        result = []
        for chunk in window:
            heads: list[tuple[BlockHead, bool]] = []
            if chunk.key:
                heads = list(chunk.heads(data[chunk.key["partition"], chunk.key["sort"]], self._match.probe))
            self._read.cost.searched += sum(head.logs for head, _ in heads)
            result.append((chunk, heads))
        return result

    def _entries(
        self, read: Sequence[tuple[Chunk, BlockHead]]
    ) -> Iterator[tuple[Chunk, BlockHead, list[Entry], int]]:
        """Yield blocks, their logs with the text in the range of their chunk, and the size of one log.

        Costs one BatchGetItem for 50 blocks, one read unit a block. Raises ItemMissing.
        """
        for start in range(0, len(read), BLOCKS_IN_MEMORY):
            group = read[start : start + BLOCKS_IN_MEMORY]
            keys = [
                {"partition": chunk.segment.generation, "sort": block_sort(head.number)}
                for chunk, head in group
            ]
            data = self._read.get_listed(keys, BLOCKS_PER_REQUEST)
            for (chunk, head), key in zip(group, keys, strict=True):
                block = blocks.unpack(data[key["partition"], key["sort"]])
                entries = block.find(self._needles)
                in_range = [each for each in entries if chunk.low <= each.moment < chunk.high]
                yield chunk, head, in_range, block.log_size
