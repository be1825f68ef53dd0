"""Write the digests of one segment: blocks, signatures and counts."""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from logs.digests import blocks, signatures
from logs.digests.blocks import Block, Entry
from logs.digests.counts import COUNTS, Counts, expiry_seconds, expiry_week, pack_counts
from logs.digests.directory import Segment
from logs.digests.moments import to_moment
from logs.digests.signatures import SignatureBuilder
from logs.folding import fold_blocks
from logs.models import LogItem
from logs.search_text import SearchText, folded
from logs.storage.digest_items import DigestItem

# A chunk, which is one item of signatures, ends at this size or number of blocks.
MAX_CHUNK_BYTES, MAX_CHUNK_BLOCKS = 64 * 1024, 100
# After each so many logs, the largest counts are kept. Only logs that share one moment are more in a segment.
MAX_COUNTED_LOGS, MAX_COUNTED_VALUES = 20_000, 2_000
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, order=True)
class BlockHead:
    """The description of a block in an item of signatures.

    `first` and `last` are places of its logs in the segment. `expires` is when the last of its logs expires,
    in seconds since 1970, or None.
    """

    number: int
    logs: int
    first: int
    last: int
    start: int
    end: int
    expires: int | None
    signature_bytes: int


def block_sort(number: int) -> str:
    """Return the sort key of a block."""
    return f"b{number:06}"


def chunk_sort(number: int) -> str:
    """Return the sort key of an item of signatures."""
    return f"s{number:05}"


@dataclass
class _OpenBlock:
    """A block that takes more logs: those that expire in the same week."""

    block: Block = field(default_factory=Block)
    signature: SignatureBuilder = field(default_factory=SignatureBuilder)
    expires: int | None = 0


class SegmentWriter:
    """Writes the items of one generation.

    Logs are added in the order of SortingIndex. Costs a BatchWriteItem per 25 items. Raises PynamoDB's
    errors.
    """

    def __init__(self, generation: str) -> None:
        self.generation = generation
        self.chunks: list[int] = []
        self.counts = Counts()
        self.logs = 0
        self.expires: int | None = 0
        self._open: dict[int | None, _OpenBlock] = {}
        self._heads: list[BlockHead] = []
        self._signatures: list[bytes] = []
        self._blocks = 0
        self._last: int | None = None
        self._batch = DigestItem.batch_write()

    def add(self, item: LogItem, text: SearchText) -> None:
        """Add a log, and its whole text."""
        expires = expiry_seconds(item)
        if self._is_chunk_full(to_moment(item.created_at)):
            self._write_chunk()
        entry = Entry(self.logs, to_moment(item.created_at), item.id, item.status)
        self.logs += 1
        self.counts.add(item)
        if self.logs % MAX_COUNTED_LOGS == 0:
            self.counts.trim(MAX_COUNTED_VALUES, MAX_COUNTED_VALUES)
        if not self._heads and not self._open:
            self.chunks.append(entry.moment)
        if text.size > blocks.MAX_LOG_TEXT:
            self._write_block(_large(item, entry, text, expires))
        else:
            week = expiry_week(expires)
            each = self._open.setdefault(week, _OpenBlock())
            each_text = folded(text)
            _add_values(each.signature, item)
            each.signature.add_text(each_text)
            each.block.add(entry, each_text)
            each.expires = later(each.expires, expires)
            if each.block.is_full:
                del self._open[week]
                self._write_block(each)
        self.expires = later(self.expires, expires)
        self._last = entry.moment

    def finish(self) -> None:
        """Write the last blocks and the counts. The segment is complete after this."""
        self._write_chunk()
        if self.logs:
            self._save(COUNTS, pack_counts(self.counts), self.expires)
        self._batch.commit()

    def segment(self, start: int, end: int, began: int) -> Segment:
        """Return the segment of the logs that were added. `began` is when the builder began to read them."""
        if not self.logs:
            return Segment(start, end, began=began)
        return Segment(start, end, self.generation, self.logs, tuple(self.chunks), began, self.expires)

    def _is_chunk_full(self, moment: int) -> bool:
        """Return whether a log of this moment begins another chunk.

        Logs that share one moment are in one chunk, unless there are very many.
        """
        size = sum(map(len, self._signatures))
        if len(self._heads) < MAX_CHUNK_BLOCKS and size < MAX_CHUNK_BYTES:
            return False
        return moment != self._last or size >= 2 * MAX_CHUNK_BYTES or len(self._heads) >= 2 * MAX_CHUNK_BLOCKS

    def _write_block(self, each: _OpenBlock) -> None:
        signature, entries = each.signature.build(), each.block.entries
        self._save(block_sort(self._blocks), blocks.pack(each.block), each.expires)
        self._heads.append(
            BlockHead(
                number=self._blocks,
                logs=len(entries),
                first=entries[0].number,
                last=entries[-1].number,
                start=entries[0].moment,
                end=entries[-1].moment,
                expires=each.expires,
                signature_bytes=len(signature),
            )
        )
        self._signatures.append(signature)
        self._blocks += 1

    def _write_chunk(self) -> None:
        """End all blocks, so that no block reaches into the next chunk, and write their signatures."""
        for each in self._open.values():
            self._write_block(each)
        self._open.clear()
        if not self._heads:
            return
        expires: int | None = 0
        for head in self._heads:
            expires = later(expires, head.expires)
        data = pack_chunk(self._heads, self._signatures)
        self._save(chunk_sort(len(self.chunks) - 1), data, expires)
        self._heads, self._signatures = [], []

    def _save(self, sort: str, data: bytes, expires: int | None) -> None:
        expires_at = None if expires is None else datetime.fromtimestamp(expires, UTC)
        self._batch.save(DigestItem(self.generation, sort, data=data, expires_at=expires_at))


def later(one: int | None, other: int | None) -> int | None:
    """Return the later of two expiries. None is never."""
    return None if one is None or other is None else max(one, other)


def _large(item: LogItem, entry: Entry, text: SearchText, expires: int | None) -> _OpenBlock:
    """Return the block of a log with much text, which is not in the block."""
    each = _OpenBlock(Block([entry], None), expires=expires)
    _add_values(each.signature, item)
    for parts in text.texts():
        end = ""
        for part in fold_blocks(parts):
            each.signature.add_text(end + part)
            end = part[1 - signatures.GRAM :]
    return each


def _add_values(signature: SignatureBuilder, item: LogItem) -> None:
    for name, value in signatures.values(item):
        signature.add_value(name, value)


def pack_chunk(heads: list[BlockHead], chunk_signatures: list[bytes]) -> bytes:
    """Return the data of a signature item.

    It is a length, the heads as JSON, and the signatures.
    """
    rows = [
        [head.number, head.logs, head.first, head.last, head.start, head.end, head.expires, len(signature)]
        for head, signature in zip(heads, chunk_signatures, strict=True)
    ]
    header = json.dumps(rows, separators=(",", ":")).encode()
    return b"".join([_LENGTH.pack(len(header)), header, *chunk_signatures])


def unpack_chunk(data: bytes) -> Iterator[tuple[BlockHead, memoryview]]:
    """Yield the blocks of a signature item, and their signatures."""
    [length] = _LENGTH.unpack_from(data)
    view = memoryview(data)
    start = _LENGTH.size + length
    for row in json.loads(data[_LENGTH.size : start]):
        head = BlockHead(*row)
        yield head, view[start : start + head.signature_bytes]
        start += head.signature_bytes
