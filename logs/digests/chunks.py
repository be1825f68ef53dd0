"""Chunks: the parts of a range that one item of signatures describes."""

import time
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from logs.digests.coverage import Covered
from logs.digests.directory import Segment, has_expired
from logs.digests.late import LateItem
from logs.digests.segment_writer import BlockHead, chunk_sort, unpack_chunk
from logs.digests.signatures import Probe


@dataclass(frozen=True)
class Chunk:
    """A part of a segment, `start` ≤ moment < `end`, with its late logs.

    `number` is None if the part has no logs except late ones. `low` and `high` limit the range that is read:
    logs of the first moment of a chunk may be in the chunk before as well. If there are late logs of such a
    moment, the moment is in `indexed`: its logs are read from the index.
    """

    segment: Segment
    number: int | None
    start: int
    end: int
    low: int
    high: int
    late: tuple[LateItem, ...]
    indexed: frozenset[int]

    @property
    def key(self) -> dict[str, str] | None:
        """Return the key of its signature item, or None without one."""
        if self.number is None:
            return None
        return {"partition": self.segment.generation, "sort": chunk_sort(self.number)}

    @property
    def logs(self) -> float:
        """Return about how many logs it has, without late ones. The last one of a segment is half full."""
        if self.number is None:
            return 0
        halves = 2 * len(self.segment.chunks) - 1
        is_last = self.number == len(self.segment.chunks) - 1
        return self.segment.logs * (1 if is_last else 2) / halves

    def heads(self, data: bytes, probe: Probe) -> Iterator[tuple[BlockHead, bool]]:
        """Yield the blocks of the range, and whether they may have a matching log.

        Expired blocks are left out.
        """
        now = time.time()
        for head, signature in unpack_chunk(data):
            if not has_expired(head.expires, now) and head.end >= self.low and head.start < self.high:
                yield head, probe.may_match(signature)


def chunks(part: Covered, *, ascends: bool) -> Iterator[Chunk]:
    """Yield the chunks of a covered range, in reading order. Their ranges are disjoint and have no gaps."""
    segment = part.segment
    starts = () if has_expired(segment.expires, time.time()) else segment.chunks
    # The chunk in which the range begins. If others begin at that moment, the one before may have logs of it.
    first = max(0, bisect_left(starts, part.start) - 1)
    later = (max(start, part.start) for start in starts[first + 1 :] if start < part.end)
    bounds = [part.start, *later, part.end]
    indexed = frozenset(each.moment for each in part.late).intersection(starts)
    pieces = list(enumerate(pairwise(bounds), first))
    for number, (start, end) in pieces if ascends else reversed(pieces):
        late = tuple(each for each in part.late if start <= each.moment < end)
        yield Chunk(segment, number if starts else None, start, end, part.start, part.end, late, indexed)


def chunks_of(segment: Segment, moment: int) -> list[int]:
    """Return the numbers of the chunks that may have a log of a moment.

    They are two at most, unless very many logs share it.
    """
    # A segment without logs has no chunks.
    pairs = pairwise([*segment.chunks, segment.end])
    return [number for number, (start, end) in enumerate(pairs) if start <= moment <= end]
