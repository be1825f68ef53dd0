"""Imports in tests: a source in memory, a mapping that changes nothing, and a run in this process."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ingest.imports import digests, group_writer
from ingest.imports.checkpoint import Checkpoint, RefusedRows
from ingest.imports.group_writer import Settings
from ingest.imports.rows import BadRow, Column, Position, Row
from ingest.imports.run import Refusals, Run
from logs import times
from tests.factories import make_fields

DAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=3)


@dataclass
class ListSource:
    """A source in memory."""

    entries: Sequence[Row | BadRow]
    table: str = "audit"
    identity: str = "list"

    def columns(self) -> list[Column]:
        """Return no columns."""
        return []

    def total(self) -> int:
        """Return the number of rows."""
        return len(self.entries)

    def head(self) -> str:
        """Return an empty text."""
        return ""

    def has_head(self, head: str) -> bool:
        """Return true."""
        return True

    def rows(self, after: Position | None = None) -> Iterator[Row | BadRow]:
        """Yield the rows after a position."""
        yield from (each for each in self.entries if after is None or each.position > after)  # type: ignore[operator]


@dataclass(frozen=True)
class SameMapping:
    """A mapping whose columns are the fields of a log."""

    fingerprint: str = "same"
    columns: dict[str, str] = field(default_factory=dict)

    def message(self, row: Row) -> dict[str, Any]:
        """Return the values of the row."""
        return row.values

    def columns_by_field(self) -> dict[str, str]:
        """Return the columns by field."""
        return self.columns


def make_row(number: int, **changes: Any) -> Row:
    """Return a row whose primary key is a number. It was created on DAY, `number` seconds after midnight."""
    created_at = times.to_text(DAY + timedelta(seconds=number))
    return Row(str(number), number, make_fields(**{"created_at": created_at, **changes}))


def import_rows(
    rows: Sequence[Row | BadRow], folder: Path, *, restart: bool = False, **settings: Any
) -> Checkpoint:
    """Import rows with a checkpoint in a folder, without building digests. Return the checkpoint."""
    path = folder / "checkpoint.json"
    if restart:
        path.unlink(missing_ok=True)
        refused_path(folder).unlink(missing_ok=True)
    is_new = not path.exists()
    checkpoint = Checkpoint.load(path, Checkpoint("list", "same", import_id="list"))
    refused = RefusedRows(refused_path(folder), checkpoint.refused_bytes, is_own=not is_new)
    run = _run(rows, checkpoint, **settings)
    run.write(path, refused)
    refused.close()
    return run.checkpoint


def rehearse(rows: Sequence[Row | BadRow]) -> tuple[Checkpoint, Refusals]:
    """Return the counts of a dry run, and its refusals."""
    run = _run(rows, Checkpoint("list", "same", import_id="list"), is_dry_run=True)
    refusals = run.rehearse()
    return run.checkpoint, refusals


def _run(rows: Sequence[Row | BadRow], checkpoint: Checkpoint, **settings: Any) -> Run:
    defaults = {"mapping": SameMapping(), "table": "audit", "import_id": checkpoint.import_id}
    group_writer.start(Settings(**{**defaults, **settings}))
    return Run(ListSource(rows), checkpoint, ThreadPoolExecutor(1), 2)


def build_digests(checkpoint: Checkpoint) -> int:
    """Build the digests of the imported days. Return the number of their logs."""
    digests.end_marks(checkpoint)
    return digests.build(checkpoint, lambda segment: None).logs


def refused_path(folder: Path) -> Path:
    """Return the file of refused rows."""
    return folder / "refused.ndjson"
