"""The checkpoint of an import, and the file of its refused rows."""

import hashlib
import json
import os
import socket
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from ingest.cli import checkpoint as files
from ingest.cli.errors import CommandFailed
from ingest.cli.installation import state_folder
from ingest.imports.group_writer import Counts
from ingest.imports.items import Refusal
from ingest.imports.rows import Position


@dataclass(frozen=True)
class Checkpoint:
    """How far an import has come.

    Each row up to `position` is written, skipped or refused. `source`, `mapping` and `table`, the table of
    logs, name the import: a checkpoint of another import is not continued. `import_id` is its name in the
    marks of days, and `head` identifies the beginning of its file. `refused` is the file of refused rows, and
    `refused_bytes` its size at this position. `days` are those whose digests have to be built, in ISO 8601.
    `written_at` is the time of the last write, in seconds since 1970.
    """

    source: str
    mapping: str
    table: str = ""
    import_id: str = ""
    head: str = ""
    refused: str = ""
    position: Position | None = None
    counts: Counts = field(default_factory=Counts)
    refused_bytes: int = 0
    days: list[str] = field(default_factory=list)
    written_at: float = 0.0

    @classmethod
    def load(cls, path: Path, new: "Checkpoint") -> "Checkpoint":
        """Return the checkpoint in a file, or `new` without a file.

        Raise CommandFailed if the file is invalid, or of another source, mapping or table than the new one.
        """
        try:
            values: dict[str, Any] = json.loads(path.read_text())
            checkpoint = cls(**{**values, "counts": Counts(**values["counts"])})
        except FileNotFoundError:
            return new
        except (ValueError, TypeError, KeyError) as error:
            raise CommandFailed(
                f"{path} is not a checkpoint of import_logs. Choose another --checkpoint."
            ) from error
        for name, theirs, ours in (
            ("source", checkpoint.source, new.source),
            ("mapping", checkpoint.mapping, new.mapping),
            ("table of logs", checkpoint.table, new.table),
        ):
            if theirs != ours:
                raise CommandFailed(
                    f"The checkpoint {path} belongs to another {name}. Import with that {name}, choose "
                    "another --checkpoint, or read all rows again with --restart. Logs that are in the table "
                    "already stay as they are."
                )
        return checkpoint

    def save(self, path: Path) -> None:
        """Write the checkpoint atomically and durably. Raise OSError."""
        files.write(path, json.dumps(asdict(self)))


def default_path(source: str, table: str) -> Path:
    """Return the path of a checkpoint in the state folder of this user."""
    return state_folder() / "imports" / f"{short_hash(f'{source} {table}')}.json"


def import_id(source: str, path: Path) -> str:
    """Return the name of an import in its marks of days.

    It is that of its source and of its checkpoint on this machine. A restarted import has the same name, and
    two imports of a source at the same time have two.
    """
    return short_hash(f"{source} {socket.gethostname()} {path.resolve()}")


def refused_of(path: Path) -> str | None:
    """Return the file of refused rows that a checkpoint names, or None."""
    try:
        return str(json.loads(path.read_text())["refused"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def short_hash(text: str) -> str:
    """Return 16 hex digits that identify a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class RefusedRows:
    """A file of refused rows as NDJSON, with row, column and reason.

    The lines after a checkpoint are removed when the import continues there: their rows are read again.
    """

    def __init__(self, path: Path, size: int, *, is_own: bool) -> None:
        """Open the file with the size that the checkpoint has. Raise CommandFailed or OSError.

        `is_own` is whether it is the file of the checkpoint. Another file must not exist.
        """
        self.path = path
        self._file: IO[bytes] | None = None
        existing = path.stat().st_size if path.exists() else 0
        if existing and not is_own:
            raise CommandFailed(f"{path} exists. Delete it, or choose another file with --refused.")
        if existing < size:
            raise CommandFailed(
                f"{path} is shorter than its checkpoint says. Name the file of the interrupted import with "
                "--refused, or read all rows again with --restart."
            )
        if existing:
            self._open(size)
        self.size = size

    def add(self, refusals: Iterable[Refusal]) -> None:
        """Append lines. They are on the disk after `sync`. The file is created with its first line."""
        for refusal in refusals:
            line = f"{json.dumps(refusal._asdict(), ensure_ascii=False)}\n".encode(errors="replace")
            (self._file or self._open(0)).write(line)
            self.size += len(line)

    def sync(self) -> None:
        """Write all lines to the disk."""
        if self._file:
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()

    def _open(self, size: int) -> IO[bytes]:
        self._file = self.path.open("ab")
        self._file.truncate(size)
        return self._file
