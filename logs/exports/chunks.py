"""The text of an export in chunks. Each ends at a checkpoint from which an export can continue."""

import gzip
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from logs import reader
from logs.digests import source
from logs.digests.source import Row
from logs.exports.spec import Spec
from logs.models import LogItem
from logs.plan import Direction, Key, PageQuery, Position, QueryPlan
from logs.reading.budget import Budget

# The rows that are read at once. More would take more memory, fewer more requests.
PAGE_ROWS = 1_000
# A fast level: 6 takes three times as long, and saves a tenth.
GZIP_LEVEL = 3


@dataclass(frozen=True)
class Checkpoint:
    """How far an export has come.

    `position` is where it continues: after a log that exists, or after the last item examined. None is the
    beginning, or the end if it is `complete`. `uses_digests` is the path of its plan, None until it is
    chosen.
    """

    position: Position | None = None
    rows: int = 0
    complete: bool = False
    uses_digests: bool | None = None

    def dumps(self) -> str:
        """Return the checkpoint as JSON that `loads` reads."""
        position = None
        if self.position:
            key = self.position.key
            place = [key.created_at, key.id, key.partition, key.is_row] if key else None
            position = [self.position.direction, self.position.inclusive, place]
        return json.dumps([position, self.rows, self.complete, self.uses_digests])

    @classmethod
    def loads(cls, text: str | None) -> "Checkpoint":
        """Return the checkpoint that `dumps` wrote. Without a text it is the beginning."""
        if text is None:
            return cls()
        position, rows, complete, uses_digests = json.loads(text)
        if position:
            direction, inclusive, place = position
            position = Position(Direction(direction), Key(*place) if place else None, inclusive)
        return cls(position, rows, complete, uses_digests)


BEGINNING = Checkpoint()


@dataclass(frozen=True)
class Chunk:
    """A part of an export's text, and the checkpoint after it.

    `rows` is the number of its rows, `reached` the time of the last row of the export.
    """

    text: str
    checkpoint: Checkpoint
    rows: int
    reached: datetime | None

    def encoded(self) -> bytes:
        """Return the text in UTF-8."""
        return self.text.encode(errors="replace")

    def compressed(self) -> bytes:
        """Return the text as a gzip file of its own.

        It is empty without a text. Gzip files one after the other are one gzip file (RFC 1952, 2.2).
        """
        return gzip.compress(self.encoded(), GZIP_LEVEL) if self.text else b""


def chunks(
    spec: Spec,
    checkpoint: Checkpoint,
    characters: int,
    seconds: float,
) -> Iterator[Chunk]:
    """Yield the text of an export from a checkpoint to its end.

    A chunk ends with the row, or the page, that reaches one of the limits.

    All texts together are the file: each log once, in the order of the filter. The memory depends on the size
    of a chunk, not on the number of rows. Costs one Query per 1,000 rows for a filter that an index answers,
    and one BatchGetItem per 100 rows with payloads. Raises StoreUnavailable.
    """
    plan = _plan(spec.plan, checkpoint)
    texts: list[str] = [] if checkpoint.position else [spec.head()]
    size, started = 0, time.monotonic()
    rows = checkpoint.rows
    last: LogItem | None = None
    while not checkpoint.complete:
        result = reader.read(PageQuery(plan, checkpoint.position, PAGE_ROWS), Budget())
        plan = result.plan
        done = checkpoint.rows
        for item, text in _rows(spec, result.page.items, done):
            texts.append(text)
            size, done, last = size + len(text), done + 1, item
            if size >= characters or time.monotonic() - started >= seconds:
                position = reader.after(plan, item)
                checkpoint = Checkpoint(position, done, uses_digests=plan.uses_digests)
                yield Chunk("".join(texts), checkpoint, done - rows, item.created_at)
                texts, size, rows, started = [], 0, done, time.monotonic()
        checkpoint = replace(
            checkpoint,
            position=result.page.next,
            rows=done,
            complete=result.page.next is None,
            uses_digests=plan.uses_digests,
        )
        if checkpoint.complete:
            texts.append(spec.form.foot(checkpoint.rows))
        if checkpoint.complete or time.monotonic() - started >= seconds:
            yield Chunk("".join(texts), checkpoint, checkpoint.rows - rows, last.created_at if last else None)
            texts, size, rows, started = [], 0, checkpoint.rows, time.monotonic()


def _plan(plan: QueryPlan, checkpoint: Checkpoint) -> QueryPlan:
    """Return the plan with the path that the export began with."""
    if checkpoint.uses_digests is None:
        return plan
    return plan.by_digests() if checkpoint.uses_digests else plan.by_index()


def _rows(spec: Spec, items: Sequence[LogItem], number: int) -> Iterator[tuple[LogItem, str]]:
    """Yield logs with their rows. `number` is that of the first row.

    With payloads, logs that were deleted in the meantime are left out, and only one row is in memory.
    """
    if not spec.payloads:
        yield from zip(items, spec.rows(items, number), strict=True)
        return
    keys = (Row(0, item.id, int(item.payload_size or 0)) for item in items)
    for each, item in enumerate(source.logs(keys), number):
        yield item, spec.rows([item], each)[0]
