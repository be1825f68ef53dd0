"""Messages on disk that wait for SQS: appended by one process, sent by it or by whoever comes after.

A folder may be shared. Each process appends to a file of its own, which it holds locked (flock) as long as it
writes; a file that nobody holds any more is an orphan, and belongs to whoever locks it first. A message is a
line: its body, JSON in ASCII.
"""

import errno
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # refused below

SUFFIX = ".logsite"
# A file that has grown this large is closed and sent on its own.
MAX_FILE_BYTES = 4_000_000
# How often the folder's size is looked at again: other processes write to it too.
LOOK_SECONDS = 10.0


class SpoolFull(Exception):
    """The folder holds as much as it may, or the disk takes no more."""


class Spool:
    """A folder of files with messages. Not safe for threads by itself: its owner holds a lock."""

    def __init__(self, folder: str | os.PathLike[str], max_bytes: int) -> None:
        """Make the folder, for its owner alone. Raises ValueError where there is no flock, and OSError."""
        if fcntl is None:
            raise ValueError("a spool_dir needs flock, which this system has not")
        self.folder = Path(folder)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.max_bytes = max_bytes
        self._file: int | None = None
        self._reading: int | None = None
        self._path = self.folder
        self._own: list[Path] = []
        self._written = 0
        self._size = 0
        self._looked = 0.0

    def append(self, body: str) -> None:
        """Write a message to the disk's cache: it survives the process, not a power failure.

        Raises SpoolFull.
        """
        line = body.encode() + b"\n"
        if self._total() + len(line) > self.max_bytes:
            raise SpoolFull(f"the spool has {self.max_bytes:,} bytes")
        try:
            self._write(line)
        except OSError as error:
            raise SpoolFull(str(error)) from error
        self._written += len(line)
        self._size += len(line)
        if self._written >= MAX_FILE_BYTES:
            self.rotate()

    def _write(self, line: bytes) -> None:
        """Write a line whole or not at all. Raises OSError."""
        if self._file is None:
            self._file = self._open()
        written = os.write(self._file, line)
        if written < len(line):
            # The disk is full: half a line would spoil the next one.
            os.ftruncate(self._file, self._written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def rotate(self) -> None:
        """Let go of the file that is written to, so that it can be sent."""
        if self._file is not None:
            self._own = [path for path in self._own if path.exists()] + [self._path]
            self._close()

    def forget(self) -> None:
        """Let go of what a fork inherited: a lock ends when the last process that has it open lets go."""
        self._own = []
        self._close()
        if self._reading is not None:
            os.close(self._reading)
            self._reading = None

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
            self._written = 0

    def has_own(self) -> bool:
        """Tell whether something that this process wrote is still to be sent."""
        return self._file is not None or any(path.exists() for path in self._own)

    def has_files(self) -> bool:
        """Tell whether there are files, which may be another process's or nobody's."""
        return bool(self._paths())

    @contextmanager
    def oldest(self) -> Iterator[tuple[list[str], Path] | None]:
        """Give the bodies of the oldest file that nobody writes to, locked meanwhile, and its path; or None.

        Who has sent them deletes the file, before the lock is let go.
        """
        for path in self._paths():
            try:
                self._reading = os.open(path, os.O_RDONLY)
            except OSError:
                continue
            try:
                if self._lock(self._reading) and path.exists():
                    yield self._bodies(path), path
                    return
            finally:
                os.close(self._reading)
                self._reading = None
        yield None

    def _paths(self) -> list[Path]:
        try:
            return sorted(path for path in self.folder.iterdir() if path.suffix == SUFFIX)
        except OSError:
            return []

    @staticmethod
    def _bodies(path: Path) -> list[str]:
        # A line without an end was being written when its process was killed.
        lines = path.read_bytes().split(b"\n")[:-1]
        return [line.decode("ascii") for line in lines if line.isascii() and line]

    def _open(self) -> int:
        while True:
            # The name sorts by age.
            self._path = self.folder / f"{time.time_ns():020}-{uuid.uuid4().hex}{SUFFIX}"
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            # Someone may take it for an orphan before it is locked, find it empty, and delete it.
            if self._lock(handle) and self._path.exists():
                return handle
            os.close(handle)

    @staticmethod
    def _lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _total(self) -> int:
        now = time.monotonic()
        if now - self._looked > LOOK_SECONDS:
            self._looked = now
            self._size = 0
            for path in self._paths():
                try:
                    self._size += path.stat().st_size
                except OSError:
                    continue
        return self._size
