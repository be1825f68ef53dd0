"""The directory of a UTC day: its segments, and their counts by hour.

It is one item, which changes as a whole, on condition that its version is unchanged. Digests that it
does not list are not read.
"""

import json
import sys
import unicodedata
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from logs.digests.counts import Counts
from logs.digests.moments import to_moment
from logs.storage.digest_items import DAYS, DigestItem, has_version
from logs.storage.errors import is_written

# Digests of another format are not read, and are built again. The number covers the hashes, the folding, the
# rule of the blocks and the counts; the folding depends on Unicode's version as well.
FORMAT = f"1 {unicodedata.unidata_version} {sys.byteorder}"
# A directory item outlives its digests, as TTL deletes items in no order.
OUTLIVES = timedelta(days=7)
# A directory of this size lists no further segments. DynamoDB's limit on an item is 400 KB: a segment with a
# chunk for each log adds 110 KB, and its types 64 KB.
MAX_BYTES = 200 * 1024
# The length of a day in ISO 8601. The sort key of a directory is a day, that of a late item begins with one.
DAY_LENGTH = len("2026-11-25")
# Other processes may change the directory at the same time.
ATTEMPTS = 20
# The mark of an import is valid so long after its renewal.
IMPORT_LEASE = timedelta(hours=6)


class Conflict(Exception):
    """Other processes changed the directory between each read and write."""

    def __str__(self) -> str:
        return str(self.__doc__).rstrip(".")


class ItemMissing(Exception):
    """A listed generation lacks an item: it was replaced, or has expired."""

    def __init__(self, generation: str) -> None:
        self.generation = generation
        super().__init__(generation)

    def __str__(self) -> str:
        return f"the digests {self.generation} were replaced in the meantime, or have expired"


def has_expired(expires: int | None, now: float) -> bool:
    """Return whether an expiry has passed. Both are in seconds since 1970; None is never."""
    return expires is not None and expires <= now


@dataclass(frozen=True)
class Segment:
    """A range of time, `start` ≤ moment < `end`, with digests.

    Its items are in the partition `generation`, which an empty range lacks. `chunks` are the first
    moments of its signature items. `began` is when the builder began to read its logs. `expires` is when
    the last of its logs expires, in seconds since 1970, or None if one never does.
    """

    start: int
    end: int
    generation: str = ""
    logs: int = 0
    chunks: tuple[int, ...] = ()
    began: int = 0
    expires: int | None = None
    format: str = FORMAT

    @property
    def is_readable(self) -> bool:
        """Return whether its digests have the current format."""
        return self.format == FORMAT


class Erasure(NamedTuple):
    """The deletion of a log, with its moment and partition key.

    `began` is when the deletion began.
    """

    moment: int
    status: str
    began: int


@dataclass(frozen=True)
class Directory:
    """The segments of a day, in order of time and without overlaps.

    `pending` are generations that are not listed: being built, or replaced and not deleted yet.
    `erasures` are logs that are being deleted, by id. `counts` are those by hour. `wide` is the generation of
    the wide counts of a closed day, or empty. `edits` changes whenever a build that has begun must not be
    listed. `imports` has the moments when imports renewed their marks. `size` is that of its item, in bytes.
    """

    day: date
    segments: tuple[Segment, ...] = ()
    pending: tuple[str, ...] = ()
    erasures: dict[str, Erasure] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    wide: str = ""
    edits: int = 0
    imports: dict[str, int] = field(default_factory=dict)
    version: int = 0
    size: int = field(default=0, compare=False)

    @property
    def is_full(self) -> bool:
        """Return whether its item is too large for further segments."""
        return self.size >= MAX_BYTES

    @property
    def is_importing(self) -> bool:
        """Return whether an import writes into the day. Then no digests may be built."""
        oldest = to_moment(datetime.now(UTC) - IMPORT_LEASE)
        return any(renewed > oldest for renewed in self.imports.values())

    @property
    def expires(self) -> int | None:
        """Return when the last of its logs expires, in seconds since 1970. None is never, or without logs."""
        ends = [segment.expires for segment in self.segments if segment.generation]
        return max(end for end in ends if end is not None) if ends and None not in ends else None

    @property
    def readable(self) -> list[Segment]:
        """Return the segments of the current format."""
        return [segment for segment in self.segments if segment.is_readable]

    def holes(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the ranges within a range that no readable segment covers."""
        for segment in self.readable:
            if segment.end <= start:
                continue
            if segment.start >= end:
                break
            if segment.start > start:
                yield start, segment.start
            start = max(start, segment.end)
        if start < end:
            yield start, end

    def overlapping(self, start: int, end: int) -> list[Segment]:
        """Return the segments that a range overlaps, whatever their format."""
        return [each for each in self.segments if each.start < end and each.end > start]

    def with_segment(self, segment: Segment, counts: Counts) -> "Directory":
        """Return the directory with a segment instead of those that it overlaps.

        `counts` are those of the day. The generations of the replaced segments are pending, to be
        deleted. The wide counts are outdated.
        """
        replaced = self.overlapping(segment.start, segment.end)
        segments = [each for each in self.segments if each not in replaced]
        return replace(
            self,
            segments=tuple(sorted([*segments, segment], key=_start)),
            counts=counts,
            wide="",
            pending=self._pending(
                *(each.generation for each in replaced), self.wide, listed=segment.generation
            ),
        )

    def without(self, dropped: Iterable[Segment]) -> "Directory":
        """Return the directory without some of its segments. Their counts must follow."""
        dropped = list(dropped)
        return replace(
            self,
            segments=tuple(each for each in self.segments if each not in dropped),
            wide="",
            pending=self._pending(*(each.generation for each in dropped), self.wide),
        )

    def with_pending(self, generation: str) -> "Directory":
        """Return the directory with one more pending generation."""
        return replace(self, pending=self._pending(generation))

    def without_pending(self, generations: Iterable[str]) -> "Directory":
        """Return the directory without pending generations."""
        gone = set(generations)
        return replace(self, pending=tuple(each for each in self.pending if each not in gone))

    def _pending(self, *generations: str, listed: str = "") -> tuple[str, ...]:
        pending = dict.fromkeys([*self.pending, *filter(None, generations)])
        return tuple(each for each in pending if each != listed)

    def to_item(self) -> DigestItem:
        """Return the item of this directory."""
        content = {
            "segments": [list(asdict(segment).values()) for segment in self.segments],
            "pending": self.pending,
            "erasures": self.erasures,
            "counts": self.counts.to_json(),
            "wide": self.wide,
            "edits": self.edits,
            "imports": self.imports,
        }
        expires = None
        if self.expires is not None and not self.pending and not self.erasures:
            expires = datetime.fromtimestamp(self.expires, UTC) + OUTLIVES
        return DigestItem(
            DAYS,
            self.day.isoformat(),
            data=zlib.compress(json.dumps(content, separators=(",", ":")).encode()),
            version=self.version + 1,
            expires_at=expires,
        )


def _start(segment: Segment) -> int:
    return segment.start


def from_item(item: DigestItem) -> Directory:
    """Return the directory of an item."""
    content: dict[str, Any] = json.loads(zlib.decompress(item.data))
    return Directory(
        day=date.fromisoformat(item.sort),
        segments=tuple(map(_segment, content["segments"])),
        pending=tuple(content["pending"]),
        erasures={log_id: Erasure(*row) for log_id, row in content["erasures"].items()},
        counts=Counts.from_json(content["counts"]),
        wide=content["wide"],
        edits=content["edits"],
        imports=content.get("imports", {}),
        version=int(item.version),
        size=len(item.data),
    )


def _segment(row: list[Any]) -> Segment:
    start, end, generation, logs, chunks, began, expires, form = row
    return Segment(start, end, generation, logs, tuple(chunks), began, expires, form)


def read(day: date) -> Directory:
    """Return the directory of a day, which is empty if there is none. Costs one consistent GetItem."""
    try:
        return from_item(DigestItem.get(DAYS, day.isoformat(), consistent_read=True))
    except DigestItem.DoesNotExist:
        return Directory(day)


def first_day(start: date, end: date) -> date | None:
    """Return the first day with a directory or a late log.

    The range is from `start` to `end`. None is no such day. Costs one Query of one item.
    """
    between = DigestItem.sort.between(start.isoformat(), f"{end.isoformat()}~")
    [*items] = DigestItem.query(DAYS, between, limit=1, consistent_read=True)
    return date.fromisoformat(items[0].sort[:DAY_LENGTH]) if items else None


def change(day: date, edit: Callable[[Directory], Directory | None]) -> Directory | None:
    """Change the directory of a day. `edit` returns the new one, or None to leave it as it is.

    It is called again if another process changed the directory in the meantime, or if it raises ItemMissing.
    Return the directory as written, or None. Costs one GetItem and one PutItem per attempt. Raises Conflict,
    ItemMissing and PynamoDB's errors.
    """
    for attempt in range(ATTEMPTS):
        try:
            changed = edit(read(day))
        except ItemMissing:
            if attempt == ATTEMPTS - 1:
                raise
            continue
        if changed is None:
            return None
        if _write(changed):
            return replace(changed, version=changed.version + 1)
    raise Conflict


def update(day: date, edit: Callable[[Directory], Directory]) -> Directory:
    """Change the directory of a day like `change`, in any case. Return it as written."""
    changed = change(day, edit)
    if changed is None:
        raise TypeError("the edit of an update returns a directory")
    return changed


def _write(directory: Directory) -> bool:
    """Write a directory unless its version changed; return whether it was written."""
    return is_written(lambda: directory.to_item().save(condition=has_version(directory.version)))


def new_generation(day: date) -> str:
    """Return the name of a new generation of digests. It is the partition of their items."""
    return f"{day.isoformat()}#{uuid.uuid4().hex}"
