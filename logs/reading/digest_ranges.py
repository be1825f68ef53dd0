"""Filters without a text: signatures exclude ranges of time.

The index answers the others.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from logs.digests.blocks import Entry
from logs.digests.chunks import Chunk
from logs.digests.segment_writer import BlockHead
from logs.models import LogItem
from logs.plan import Position
from logs.reading.digest_read import BLOCKS_IN_MEMORY, DigestRead
from logs.reading.merge import Merge, query_all

FIRST_RANGES, MAX_RANGES = 1, 8
# If more of the blocks may match, the index reads them as few long ranges.
MAX_SHARE = 0.5
# With late logs at more moments, the index reads the whole window: each moment would take a Query.
MAX_LATE_MOMENTS = 100


@dataclass(frozen=True, order=True)
class Range:
    """A range of moments, both included."""

    start: int
    end: int


class DigestRanges(DigestRead):
    """The logs of a plan without a text, in reading order."""

    def _rows_from(self, position: Position | None) -> Iterator[LogItem]:
        self._done: int | None = None
        # The first query of the index may be enough: for a frequent value it costs less than signatures.
        merge = Merge(self._read, position, self._limit)
        yield from merge.first_items()
        if merge.is_exhausted:
            return
        if self._read.is_spent:
            self._cut = merge.cut
            return
        yield from super()._rows_from(Position(self._direction, merge.cut))

    def _window_rows(self, window: list[Chunk]) -> Iterator[LogItem]:
        ranges = self._unread(self._ranges(window))
        if not self._ascends:
            ranges.reverse()
        size = FIRST_RANGES
        while ranges:
            group, ranges = ranges[:size], ranges[size:]
            size = min(2 * size, MAX_RANGES)
            merges = [self._merge(each.start, each.end + 1, None) for each in group]
            query_all(self._read, merges)
            for each, merge in zip(group, merges, strict=True):
                yield from merge
                self._cut = merge.cut
                if self._cut:
                    return
                self._done = each.end if self._ascends else each.start
                self._reached = self._place(each.end + 1 if self._ascends else each.start - 1)
            if ranges and self._read.is_spent:
                self._cut = self._reached
                return

    def _unread(self, ranges: list[Range]) -> list[Range]:
        """Return ranges without the moments that were read. Chunks of two windows may share one."""
        if self._done is None:
            return ranges
        if self._ascends:
            beyond = [replace(each, start=max(each.start, self._done + 1)) for each in ranges]
        else:
            beyond = [replace(each, end=min(each.end, self._done - 1)) for each in ranges]
        return [each for each in beyond if each.start <= each.end]

    def _ranges(self, window: list[Chunk]) -> list[Range]:
        """Return the ranges in which a log may match, in order of time and disjoint."""
        low = min(chunk.low for chunk in window)
        high = max(chunk.high for chunk in window) - 1
        # The index compares late logs with the filter.
        moments = {each.moment for chunk in window for each in chunk.late}
        if len(moments) > MAX_LATE_MOMENTS:
            first, last = min(chunk.start for chunk in window), max(chunk.end for chunk in window)
            return [Range(max(first, low), min(last - 1, high))]
        heads = self._blocks(window)
        ranges = [Range(moment, moment) for moment in moments]
        is_open = False
        for head, may_match in sorted(heads, key=_start):
            if may_match and is_open:
                # No other block has logs between this one and the one before.
                ranges[-1] = Range(ranges[-1].start, max(ranges[-1].end, head.end))
            elif may_match:
                ranges.append(Range(head.start, head.end))
            is_open = may_match
        return _joined(Range(max(each.start, low), min(each.end, high)) for each in ranges)

    def _blocks(self, window: list[Chunk]) -> list[tuple[BlockHead, bool]]:
        """Return the blocks of a window, and whether they may have a matching log.

        If few blocks may have the text of the filter, they are read: only the range of the logs with the text
        is left of each, until the budget is spent. Costs about 2.5 read units a block, and one BatchGetItem
        for 50 blocks.
        """
        heads = [
            (chunk, head, may_match) for chunk, heads in self._heads(window) for head, may_match in heads
        ]
        read = [(chunk, head) for chunk, head, may_match in heads if may_match]
        if not self._needles or len(read) > MAX_SHARE * len(heads):
            return [(head, may_match) for _, head, may_match in heads]
        rest = [(head, False) for _, head, may_match in heads if not may_match]
        for start in range(0, len(read), BLOCKS_IN_MEMORY):
            group = read[start : start + BLOCKS_IN_MEMORY]
            if self._read.is_spent:
                rest += [(head, True) for _, head in group]
            else:
                rest += [_narrowed(head, entries) for _, head, entries, _ in self._entries(group)]
        return rest


def _narrowed(head: BlockHead, entries: list[Entry]) -> tuple[BlockHead, bool]:
    """Return the head of a block with the range of some of its logs, and whether there are any."""
    if not entries:
        return head, False
    return replace(head, start=entries[0].moment, end=entries[-1].moment), True


def _start(block: tuple[BlockHead, bool]) -> tuple[int, int]:
    return block[0].start, block[0].end


def _joined(ranges: Iterable[Range]) -> list[Range]:
    """Return ranges in order of time, with those joined that have moments in common."""
    joined: list[Range] = []
    for each in sorted(ranges):
        if joined and each.start <= joined[-1].end:
            joined[-1] = Range(joined[-1].start, max(joined[-1].end, each.end))
        else:
            joined.append(each)
    return joined
