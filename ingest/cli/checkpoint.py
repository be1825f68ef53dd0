"""The checkpoint of a followed file: its position, and its lock."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Self

from ingest.cli.errors import CommandFailed

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # `lock` raises CommandFailed

HEAD_BYTES = 1024
# The longest process id that is read from a lock file.
PID_BYTES = 20


@contextmanager
def lock(path: Path, command: str, work: str) -> Iterator[None]:
    """Hold the lock of a checkpoint, so that one process alone does the work.

    `command` and `work` are for the error, such as `relay` and `follows app.ndjson`. The lock (flock) is on a
    file beside the checkpoint, with the process id. The system releases it when the process ends, even by
    `kill -9`. The file stays, because deleting it would allow two locks.

    Raise CommandFailed if another process holds the lock, and OSError if the file cannot be locked.
    """
    if fcntl is None:
        raise CommandFailed(f"A {command} needs flock, which this system lacks.")
    checkpoint = path.resolve()
    # The file is not truncated before it is locked: it has the id of the other process.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
    descriptor = os.open(checkpoint.with_name(f"{checkpoint.name}.lock"), flags, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.pread(descriptor, PID_BYTES, 0).strip()
            process = f" (process {pid.decode()})" if pid.isdigit() else ""
            raise CommandFailed(
                f"Another {command}{process} {work} with the checkpoint {path}. Stop it first."
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


@dataclass
class Checkpoint:
    """The position in a file.

    `offset` is in bytes. `head` is the hash of the first bytes, because the system reuses inodes.
    `generation` is a random name, new after each rotation or truncation. The ids of the logs are derived from
    it.
    """

    inode: int
    offset: int
    generation: str
    head: str = ""

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """Return a saved checkpoint, or None if the file is missing. Raise CommandFailed if it is invalid."""
        try:
            return cls(**json.loads(path.read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise CommandFailed(
                f"{path} is not a checkpoint: delete it to start from the beginning."
            ) from error

    def save(self, path: Path) -> None:
        """Write the checkpoint atomically.

        An incomplete file never replaces a complete one. Raise OSError if it cannot be written.
        """
        write(path, json.dumps(asdict(self)))

    def matches(self, file: BinaryIO) -> bool:
        """Return whether a file still begins with the data that was sent.

        It does not if the file was truncated, even if it has grown beyond the offset since.
        """
        size = os.fstat(file.fileno()).st_size
        return size >= self.offset and hash_head(read_head(file, self.offset)) == self.head


def write(path: Path, text: str) -> None:
    """Write a file atomically and durably. Raise OSError."""
    draft = path.with_name(f"{path.name}.draft")
    with draft.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def read_head(file: BinaryIO, offset: int) -> bytes:
    """Return the first bytes of a file: HEAD_BYTES, or fewer if `offset` is smaller."""
    return os.pread(file.fileno(), min(offset, HEAD_BYTES), 0)


def hash_head(head: bytes) -> str:
    """Return the hash of a file's first bytes."""
    return hashlib.sha256(head).hexdigest()
