"""Blocks: the folded search texts of up to 50 consecutive logs, compressed.

A packed block is compressed by zlib. It is a line of JSON with the ids, times, places and partition keys of
its logs, then their texts.
"""

import json
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

MAX_LOGS = 50
# A block ends at this size of its folded text.
MAX_TEXT_BYTES = 24 * 1024
# A log with more text is a block of its own, without the text: a search reads it from the log.
MAX_LOG_TEXT = 20 * 1024
# DynamoDB's limit on an item. The parts of a larger log are fetched one by one.
MAX_LOG_BYTES = 400 * 1024
SEPARATOR = b"\0"


@dataclass(frozen=True, order=True, slots=True)
class Entry:
    """One log in a block.

    `number` is its place among the logs of its segment, in the order of SortingIndex. `moment` is
    `created_at` in microseconds since 1970, `status` its partition key.
    """

    number: int
    moment: int
    log_id: str
    status: str


@dataclass
class Block:
    """The logs of a block. Without `texts`, each may contain any text."""

    entries: list[Entry] = field(default_factory=list)
    texts: list[bytes] | None = field(default_factory=list)

    def add(self, entry: Entry, text: str) -> None:
        """Add a log and its folded text."""
        self.entries.append(entry)
        if self.texts is not None:
            self.texts.append(text.encode(errors="surrogatepass"))

    @property
    def text_bytes(self) -> int:
        """Return the size of the texts."""
        return sum(map(len, self.texts or []))

    @property
    def is_full(self) -> bool:
        """Return whether no further log belongs to this block."""
        return len(self.entries) >= MAX_LOGS or self.text_bytes >= MAX_TEXT_BYTES

    @property
    def log_size(self) -> int:
        """Return about how large one of its logs is. Without texts, it is the largest possible size."""
        return MAX_LOG_BYTES if self.texts is None else self.text_bytes // max(1, len(self.entries))

    def find(self, needles: Sequence[bytes]) -> list[Entry]:
        """Return the logs whose text contains one of the folded needles, in their order.

        Without needles, it is all logs.
        """
        if self.texts is None or not needles:
            return self.entries
        text = SEPARATOR.join(self.texts)
        ends = list(accumulate(len(each) + len(SEPARATOR) for each in self.texts))
        numbers = {number for needle in needles for number in _numbers(text, ends, needle)}
        return [self.entries[number] for number in sorted(numbers)]


def _numbers(text: bytes, ends: list[int], needle: bytes) -> Iterator[int]:
    """Yield the places of the logs that contain a needle, which has no separator."""
    start = text.find(needle)
    while start >= 0:
        number = bisect_right(ends, start)
        yield number
        start = text.find(needle, ends[number])


def pack(block: Block) -> bytes:
    """Return a block, compressed."""
    statuses = sorted({entry.status for entry in block.entries})
    header = {
        "ids": [entry.log_id for entry in block.entries],
        "moments": [entry.moment for entry in block.entries],
        "numbers": [entry.number for entry in block.entries],
        "statuses": statuses,
        "status": [statuses.index(entry.status) for entry in block.entries] if len(statuses) > 1 else [],
        "texts": None if block.texts is None else list(map(len, block.texts)),
    }
    line = json.dumps(header, separators=(",", ":")).encode()
    return zlib.compress(b"\n".join([line, SEPARATOR.join(block.texts or [])]))


def unpack(data: bytes) -> Block:
    """Return the block that `pack` packed."""
    line, _, text = zlib.decompress(data).partition(b"\n")
    header = json.loads(line)
    statuses = [header["statuses"][place] for place in header["status"] or [0] * len(header["ids"])]
    columns = (header["numbers"], header["moments"], header["ids"], statuses)
    entries = [Entry(*row) for row in zip(*columns, strict=True)]
    if header["texts"] is None:
        return Block(entries, None)
    starts = accumulate((size + len(SEPARATOR) for size in header["texts"]), initial=0)
    texts = [text[start : start + size] for start, size in zip(starts, header["texts"], strict=False)]
    return Block(entries, texts)


def without(block: Block, log_id: str) -> Block:
    """Return a block without one of its logs."""
    kept = [place for place, entry in enumerate(block.entries) if entry.log_id != log_id]
    texts = block.texts
    return Block(
        [block.entries[place] for place in kept],
        None if texts is None else [texts[place] for place in kept],
    )
