"""Write groups of rows, in one of the writing processes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from typing import Protocol

from ingest.imports import items
from ingest.imports.items import Refusal
from ingest.imports.rows import BadRow, Row
from ingest.messages import Rejected
from ingest.writing import storage
from ingest.writing.groups import MAX_CHARACTERS
from ingest.writing.inserts import MAX_STATEMENTS
from ingest.writing.result import Outcome
from ingest.writing.retry import RESERVE_SECONDS, Deadline, OutOfTime
from logs.digests import import_marks
from logs.digests.directory import Conflict
from logs.models import LogItem
from logs.storage import digest_items, write_units
from logs.storage.choices import ChoicesWriter
from logs.storage.errors import AWS_ERRORS

# Transient errors of a request are retried for this long.
PATIENCE_SECONDS = 600.0


class RowMapping(Protocol):
    """A mapping of columns to the fields of a log. It is pickled for the writing processes."""

    def message(self, row: Row) -> dict[str, object]:
        """Return the fields of a log, as JSON values. Raise BadRow."""
        ...

    def columns_by_field(self) -> dict[str, str]:
        """Return the columns of the fields whose value comes from one column."""
        ...


@dataclass(frozen=True)
class Settings:
    """How rows are written.

    `import_id` names the import in its marks of days. `units_per_second` is None without a limit. A dry run
    writes nothing.
    """

    mapping: RowMapping
    table: str
    import_id: str
    units_per_second: float | None = None
    is_dry_run: bool = False


@dataclass
class Counts:
    """The numbers of rows by their result, and the write units."""

    rows: int = 0
    written: int = 0
    existing: int = 0
    expired: int = 0
    refused: int = 0
    write_units: float = 0.0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(Counts)))


@dataclass
class GroupResult:
    """The result of a group of rows.

    `refusals` are in the order of the rows. `days` are those of its logs, in ISO 8601.
    """

    counts: Counts
    refusals: list[Refusal] = field(default_factory=list)
    days: set[str] = field(default_factory=set)


class WritingFailed(Exception):
    """DynamoDB refused a request, or did not answer for PATIENCE_SECONDS.

    A part of the group may be written.
    """


class GroupWriter:
    """Writes groups of rows by the writer's own code."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._columns = settings.mapping.columns_by_field()
        self._choices = ChoicesWriter()
        # When the marks of days were renewed.
        self._marked: dict[date, datetime] = {}
        self._limit: write_units.Limit | None = None
        self._units = 0.0
        if settings.units_per_second:
            self._limit = write_units.Limit(settings.units_per_second)
        if not settings.is_dry_run:
            write_units.watch(self._spend)

    def write(self, rows: Sequence[Row | BadRow]) -> GroupResult:
        """Write the logs of some rows. Return the result. Raise WritingFailed."""
        self._units = 0.0
        result = GroupResult(Counts(rows=len(rows)))
        with _writing_failed():
            for batch in self._batches(rows, result):
                self._write(batch, result)
            if not self._settings.is_dry_run:
                self._choices.write()
        result.counts.write_units = self._units
        return result

    def _batches(
        self, rows: Sequence[Row | BadRow], result: GroupResult
    ) -> Iterator[dict[str, tuple[str, LogItem]]]:
        """Yield logs with different ids, and the keys of their rows, as many as one request takes."""
        batch: dict[str, tuple[str, LogItem]] = {}
        size = 0
        for row in rows:
            log = self._read(row, result)
            if log is None:
                continue
            if storage.is_alone(log):
                yield {log.id: (row.key, log)}
                continue
            if log.id in batch or len(batch) == MAX_STATEMENTS or size > MAX_CHARACTERS:
                yield batch
                batch, size = {}, 0
            batch[log.id] = row.key, log
            size += len(log.document or b"")
        if batch:
            yield batch

    def _read(self, row: Row | BadRow, result: GroupResult) -> LogItem | None:
        """Return the log of a row, or None if it is refused or its retention has passed."""
        try:
            if isinstance(row, BadRow):
                raise row
            fields = self._settings.mapping.message(row)
            log = items.to_item(row, fields, self._settings.table, datetime.now(UTC))
        except (BadRow, Rejected) as error:
            self._refuse(row.key, error, result)
            return None
        if log.is_expired:
            result.counts.expired += 1
            return None
        return log

    def _refuse(self, key: str, error: BadRow | Rejected, result: GroupResult) -> None:
        result.counts.refused += 1
        result.refusals += items.refusals(key, error, self._columns)

    def _write(self, batch: dict[str, tuple[str, LogItem]], result: GroupResult) -> None:
        logs = [log for _, log in batch.values()]
        days = {log.created_at.date() for log in logs}
        result.days |= {day.isoformat() for day in days}
        if self._settings.is_dry_run:
            result.counts.written += len(logs)
            return
        self._mark(days)
        if self._limit:
            self._limit.wait()
        outcomes = storage.write(logs, _Patience(), marks_late=False)
        # The machine may have been suspended, so that the marks ended and digests were built.
        self._mark(days)
        for (key, log), outcome in zip(batch.values(), outcomes, strict=True):
            if isinstance(outcome, Rejected):
                self._refuse(key, outcome, result)
            elif isinstance(outcome, Exception):
                raise outcome
            else:
                result.counts.written += outcome is Outcome.WRITTEN
                result.counts.existing += outcome is Outcome.DUPLICATE
                self._choices.record_log(log)

    def _mark(self, days: set[date]) -> None:
        """Mark days before a log of them is written, unless their marks are new."""
        if not digest_items.is_on():
            return
        # Not the monotonic clock: it stops while the machine is suspended.
        now = datetime.now(UTC)
        for day in days:
            renewed = self._marked.get(day)
            if renewed is None or now - renewed >= import_marks.RENEWAL:
                import_marks.begin(day, self._settings.import_id)
                self._marked[day] = now

    def _spend(self, units: float) -> None:
        self._units += units
        if self._limit:
            self._limit.spend(units)


class _Patience(Deadline):
    """The end of the retries of a group."""

    def __init__(self) -> None:
        super().__init__(None)
        self._end = datetime.now(UTC).timestamp() + PATIENCE_SECONDS

    def remaining(self) -> float:
        """Return the seconds that are left."""
        return self._end - datetime.now(UTC).timestamp() + RESERVE_SECONDS


@contextmanager
def _writing_failed() -> Iterator[None]:
    """Raise WritingFailed for an error of DynamoDB. Some of these errors cannot be pickled."""
    try:
        yield
    except (OutOfTime, Conflict, *AWS_ERRORS) as error:
        raise WritingFailed(f"{type(error).__name__}: {error}") from None


_writers: list[GroupWriter] = []


def start(settings: Settings) -> None:
    """Prepare this process for `write`."""
    _writers[:] = [GroupWriter(settings)]


def write(rows: Sequence[Row | BadRow]) -> GroupResult:
    """Write a group of rows in this process. Return its result. Raise WritingFailed."""
    return _writers[0].write(rows)
