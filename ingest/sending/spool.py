"""The spool: a folder of files with messages that are sent later.

The files survive a restart. Several processes can share a folder. Each process appends to its own file, and
holds a lock (flock) on it meanwhile. A file without a lock is orphaned: the first process that locks it sends
it. Each line of a file is a message body, JSON in ASCII.
"""

import errno
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # `Spool` raises ValueError

SUFFIX = ".logsite"
# A file of this size is closed, so that it can be sent.
MAX_FILE_BYTES = 4_000_000
# The size of the folder is measured this often, because other processes write to it too.
MEASURE_INTERVAL_SECONDS = 10.0


class SpoolFull(Exception):
    """The spool has reached its size limit, or its file cannot be written."""


@dataclass(frozen=True)
class SpoolFile:
    """A file of the spool, locked for sending."""

    path: Path
    bodies: list[str]


class Spool:
    """A folder of files with messages. Not thread-safe: the owner holds a lock."""

    def __init__(self, folder: str | os.PathLike[str], max_bytes: int) -> None:
        """Create the folder, accessible to its owner only.

        Raise ValueError if the system has no flock, and OSError if the folder cannot be created.
        """
        if fcntl is None:
            raise ValueError("spool_dir needs flock, which this system lacks: use on_full='drop' or 'block'")
        self.folder = Path(folder)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.max_bytes = max_bytes
        self._file: int | None = None  # the descriptor of the file at `_path`, while it is appended to
        self._path = self.folder
        self._file_bytes = 0
        self._reading: int | None = None  # the descriptor of the file that is being sent
        self._own: list[Path] = []  # closed files of this process
        self._total_bytes = 0
        self._measured_at = 0.0

    def append(self, body: str) -> None:
        """Write a message to the current file.

        It is then in the cache of the operating system: it survives the process, but not a power failure.
        Raise SpoolFull if the limit is reached, or if the file cannot be written.
        """
        line = body.encode() + b"\n"
        if self._measure() + len(line) > self.max_bytes:
            raise SpoolFull(f"the spool has reached its limit of {self.max_bytes:,} bytes")
        try:
            self._write(line)
        except OSError as error:
            raise SpoolFull(str(error)) from error
        self._file_bytes += len(line)
        self._total_bytes += len(line)
        if self._file_bytes >= MAX_FILE_BYTES:
            self.rotate()

    def _write(self, line: bytes) -> None:
        """Write a line completely or not at all. Raise OSError."""
        if self._file is None:
            self._file = self._create()
        if os.write(self._file, line) < len(line):
            # The disk is full. Half a line would corrupt the next one.
            os.ftruncate(self._file, self._file_bytes)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def rotate(self) -> None:
        """Close and unlock the current file, so that it can be sent."""
        if self._file is not None:
            self._own = [path for path in self._own if path.exists()] + [self._path]
            self._close()

    def forget(self) -> None:
        """Close the descriptors that a fork inherited.

        The parent's lock would otherwise last until this process ends too.
        """
        self._own = []
        self._close()
        if self._reading is not None:
            os.close(self._reading)
            self._reading = None

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
            self._file_bytes = 0

    def has_own_files(self) -> bool:
        """Return whether a message that this process spooled is still unsent."""
        return self._file is not None or any(path.exists() for path in self._own)

    def has_files(self) -> bool:
        """Return whether the folder has files, of any process."""
        return bool(self._paths())

    @contextmanager
    def oldest(self) -> Iterator[SpoolFile | None]:
        """Yield the oldest file that no process has locked, or None.

        The file is locked until the block ends. The caller deletes it in the block, after sending it. Raise
        OSError if it cannot be read.
        """
        for path in self._paths():
            try:
                self._reading = os.open(path, os.O_RDONLY)
            except OSError:
                continue
            try:
                if self._lock(self._reading) and path.exists():
                    yield SpoolFile(path, self._read(path))
                    return
            finally:
                os.close(self._reading)
                self._reading = None
        yield None

    def _paths(self) -> list[Path]:
        """Return the paths of all files, the oldest first."""
        try:
            return sorted(path for path in self.folder.iterdir() if path.suffix == SUFFIX)
        except OSError:
            return []

    @staticmethod
    def _read(path: Path) -> list[str]:
        # A last line without a newline is incomplete: its process was killed while writing it.
        lines = path.read_bytes().split(b"\n")[:-1]
        return [line.decode("ascii") for line in lines if line.isascii() and line]

    def _create(self) -> int:
        """Create a file and lock it. Return its descriptor. Raise OSError."""
        while True:
            # The names sort by age.
            self._path = self.folder / f"{time.time_ns():020}-{uuid.uuid4().hex}{SUFFIX}"
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            # Before the lock is held, another process may adopt the empty file and delete it.
            if self._lock(descriptor) and self._path.exists():
                return descriptor
            os.close(descriptor)

    @staticmethod
    def _lock(descriptor: int) -> bool:
        """Lock a file without waiting. Return whether it is locked."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _measure(self) -> int:
        """Return the size of all files in bytes, measured at most MEASURE_INTERVAL_SECONDS ago."""
        now = time.monotonic()
        if now - self._measured_at > MEASURE_INTERVAL_SECONDS:
            self._measured_at = now
            self._total_bytes = 0
            for path in self._paths():
                try:
                    self._total_bytes += path.stat().st_size
                except OSError:
                    continue
        return self._total_bytes
