"""The spool: a folder of files with messages that are sent later.

The files survive a restart. Several processes can share a folder. Each process appends to its own file, and
holds a lock (flock) on it meanwhile. A file without a lock is orphaned: the first process that locks it sends
it. Each line of a file is a message body, JSON in ASCII.
"""

import errno
import os
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ingest.sending.rate_limit import SendWarning
from ingest.sending.spool_file import REJECTED_SUFFIX, SpoolFile
from ingest.sending.spool_folder import SpoolFolder

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # `Spool` raises ValueError

SUFFIX = ".logsite"
# A file of this size is closed, so that it can be sent.
MAX_FILE_BYTES = 4_000_000
# The size of the folder is measured this often, because other processes write to it too.
MEASURE_INTERVAL_SECONDS = 10.0
# A file that cannot be read is tried again after this time.
SKIP_SECONDS = 30.0


class SpoolFull(Exception):
    """The spool has reached its size limit, or its file cannot be written."""


@dataclass
class SpoolReport:
    """The events since the last report.

    `lost` counts logs whose file somebody removed. `broken` counts lines that were set aside.
    """

    lost: int = 0
    broken: int = 0
    warnings: list[SendWarning] = field(default_factory=list)


class Spool:
    """A folder of files with messages. Not thread-safe: the owner holds a lock.

    A folder that cannot be used is a warning in the report, and an error of `append` only. It is tried again
    at each use.
    """

    def __init__(self, folder: str | os.PathLike[str], max_bytes: int) -> None:
        """Describe the spool. The folder is created at its first use.

        Raise ValueError if the system has no flock.
        """
        if fcntl is None:
            raise ValueError("spool_dir needs flock, which this system lacks: use on_full='drop' or 'block'")
        self.path = Path(folder)
        self.max_bytes = max_bytes
        self._folder: SpoolFolder | None = None
        self._file: int | None = None  # the descriptor of the file `_name`, while it is appended to
        self._name = ""
        self._file_bytes = self._file_logs = 0
        self._reading: SpoolFile | None = None
        self._own: dict[str, int] = {}  # closed files of this process, with their numbers of logs
        self._skipped: dict[str, float] = {}  # files that cannot be read, with the time of the next try
        self._ignored: set[str] = set()
        self._total_bytes = 0
        self._measured_at = 0.0
        self._report: SpoolReport | None = None
        self._problem = ""

    def take_report(self) -> SpoolReport | None:
        """Return the events since the last call, or None if nothing happened."""
        report, self._report = self._report, None
        return report

    def append(self, body: str) -> None:
        """Write a message to the current file.

        It is then in the cache of the operating system: it survives the process, but not a power failure.
        Raise SpoolFull if the limit is reached, or if the file cannot be written.
        """
        line = body.encode() + b"\n"
        try:
            if self._measure() + len(line) > self.max_bytes:
                raise SpoolFull(f"the spool has reached its limit of {self.max_bytes:,} bytes")
            self._write(line)
        except OSError as error:
            raise SpoolFull(str(error)) from error
        self._file_bytes += len(line)
        self._file_logs += 1
        self._total_bytes += len(line)
        if self._file_bytes >= MAX_FILE_BYTES:
            self.rotate()

    def _write(self, line: bytes) -> None:
        """Write a line completely or not at all. Raise OSError."""
        # A removed file has no links. The lines in it are written again, because nobody would send them.
        if self._file is None or not os.fstat(self._file).st_nlink:
            folder = self._open_folder()
            if self._file is None:
                self._file, self._name = self._create(folder)
        if os.write(self._file, line) < len(line):
            # The disk is full. Half a line would corrupt the next one.
            os.ftruncate(self._file, self._file_bytes)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def rotate(self) -> None:
        """Close and unlock the current file, so that it can be sent.

        Also notices a removed folder. The file stays open if it cannot be restored.
        """
        try:
            folder = self._open_folder()
        except OSError as error:
            self._warn_unusable(error)
            return
        self._own = {name: logs for name, logs in self._own.items() if folder.size(name) is not None}
        if self._file is not None:
            self._own[self._name] = self._file_logs
            self._close_file()

    def close(self) -> None:
        """Close the spool.

        If the current file was removed and cannot be restored, count its logs as lost.
        """
        self.rotate()
        if self._file is not None:
            self._events.lost += self._file_logs
            self._close_file()

    def forget(self) -> None:
        """Close the descriptors that a fork inherited.

        The parent's lock would otherwise last until this process ends too.
        """
        # Not unlocked: that would remove the parent's lock, which both processes share.
        for descriptor in (self._file, self._reading.descriptor if self._reading else None):
            if descriptor is not None:
                with suppress(OSError):  # the parent was closing it during the fork
                    os.close(descriptor)
        self._file = self._reading = self._folder = None

    def has_own_files(self) -> bool:
        """Return whether a message that this process spooled is still unsent."""
        folder = self._folder
        if self._file is not None or folder is None:
            return self._file is not None
        return any(folder.size(name) is not None for name in self._own)

    def has_files(self) -> bool:
        """Return whether the folder has files, of any process."""
        try:
            folder = self._open_folder()
            return any(name.endswith(SUFFIX) and folder.size(name) is not None for name in folder.names())
        except OSError as error:
            self._warn_unusable(error)
            return False

    def lock_oldest(self) -> SpoolFile | None:
        """Return the oldest file that no process has locked, or None.

        The file is locked until `release`. The caller calls `delete` before, after sending it.
        """
        folder, now = self._folder, time.monotonic()
        if folder is None:
            return None
        try:
            names = [name for name in folder.names() if name.endswith(SUFFIX)]
        except OSError as error:
            self._warn_unusable(error)
            return None
        for name in names:
            if self._skipped.get(name, now) > now:
                continue
            if folder.size(name) is None:
                self._ignore(name)
                continue
            try:
                descriptor = folder.open_file(name, os.O_RDONLY)
            except FileNotFoundError:
                continue  # sent by another process meanwhile
            except OSError as error:
                self.skip(name, error)
                continue
            try:
                if self._lock(descriptor) and folder.is_same(name, descriptor):
                    self._reading = SpoolFile(folder, name, descriptor)
                    return self._reading
            except OSError as error:
                self.skip(name, error)
            os.close(descriptor)
        return None

    def delete(self, file: SpoolFile) -> None:
        """Delete a file whose logs are sent. Raise OSError if it cannot be deleted."""
        file.folder.delete(file.name)
        self._own.pop(file.name, None)

    def skip(self, name: str, error: OSError) -> None:
        """Leave a file for SKIP_SECONDS, because it cannot be read or deleted."""
        self._skipped[name] = time.monotonic() + SKIP_SECONDS
        self._warn(f"the spool file {self.path / name} cannot be sent, retrying: {error}", "file")

    def release(self, file: SpoolFile) -> None:
        """Unlock a file, and report its broken lines."""
        self._skipped = {name: until for name, until in self._skipped.items() if until > time.monotonic()}
        self._reading = None
        self._unlock(file.descriptor)
        if file.broken:
            self._events.broken += file.broken
            self._warn(
                f"{file.broken} lines of a spool file are no messages, and were moved to "
                f"{file.path}{REJECTED_SUFFIX}",
                "broken",
            )

    def _open_folder(self) -> SpoolFolder:
        """Return the folder. Open or create it if it was removed or replaced. Raise OSError."""
        old = self._folder
        folder = old if old and old.is_current() else SpoolFolder.open(self.path)
        if self._file is not None and (folder is not old or not os.fstat(self._file).st_nlink):
            self._file, self._name = self._restore(self._file, folder)
        self._problem = ""
        if old and folder is not old:
            self._count_lost(old, folder)
        self._folder = folder
        return folder

    def _count_lost(self, old: SpoolFolder, folder: SpoolFolder) -> None:
        """Count the logs in the closed files of this process that a new folder does not have.

        A replaced folder may still have them, but nobody sends them.
        """
        sending = self._reading.name if self._reading else ""
        lost = sum(
            logs
            for name, logs in self._own.items()
            if name != sending and (old.size(name) is not None or folder.size(name) is None)
        )
        self._own = {}
        self._events.lost += lost
        self._warn(
            f"the spool folder {self.path} was removed or replaced; unsent logs in it: {lost}", "removed"
        )

    def _restore(self, file: int, folder: SpoolFolder) -> tuple[int, str]:
        """Move the lines of the removed current file to a new one. Return its descriptor and its name.

        Raise OSError if it cannot be written. The current file is then still open.
        """
        descriptor, name = self._create(folder)
        try:
            lines = os.pread(file, self._file_bytes, 0)
            if os.write(descriptor, lines) < len(lines):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            os.close(descriptor)
            folder.delete(name)
            raise
        os.close(file)
        return descriptor, name

    def _create(self, folder: SpoolFolder) -> tuple[int, str]:
        """Create a file and lock it. Return its descriptor and its name. Raise OSError."""
        while True:
            # The names sort by age.
            name = f"{time.time_ns():020}-{uuid.uuid4().hex}{SUFFIX}"
            descriptor = folder.open_file(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND)
            # Before the lock is held, another process may adopt the empty file and delete it.
            if self._lock(descriptor) and folder.is_same(name, descriptor):
                return descriptor, name
            os.close(descriptor)

    def _close_file(self) -> None:
        descriptor, self._file = self._file, None
        if descriptor is not None:
            self._unlock(descriptor)
            self._file_bytes = self._file_logs = 0

    @staticmethod
    def _lock(descriptor: int) -> bool:
        """Lock a file without waiting. Return whether it is locked. Raise OSError if it cannot be locked."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    @staticmethod
    def _unlock(descriptor: int) -> None:
        """Unlock and close a file. Closing alone does not unlock it if a child inherited the descriptor."""
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)

    def _measure(self) -> int:
        """Return the size of all files in bytes, measured at most MEASURE_INTERVAL_SECONDS ago.

        Includes the rejected lines. Raise OSError if the folder cannot be used.
        """
        now = time.monotonic()
        if self._folder is None or now - self._measured_at > MEASURE_INTERVAL_SECONDS:
            folder = self._open_folder()
            self._measured_at = now
            names = (name for name in folder.names() if name.endswith((SUFFIX, REJECTED_SUFFIX)))
            self._total_bytes = sum(folder.size(name) or 0 for name in names)
        return self._total_bytes

    def _ignore(self, name: str) -> None:
        """Warn once of a name that is no regular file."""
        if name not in self._ignored:
            self._ignored.add(name)
            self._warn(f"{self.path / name} is no regular file, and is ignored in the spool", "ignored")

    def _warn_unusable(self, error: OSError) -> None:
        """Warn once that the folder cannot be used, until it can be."""
        if str(error) != self._problem:
            self._problem = str(error)
            self._warn(f"the spool folder cannot be used, logs wait in memory only: {error}", "folder")

    def _warn(self, text: str, kind: str) -> None:
        self._events.warnings.append(SendWarning(kind, text))

    @property
    def _events(self) -> SpoolReport:
        """Return the report that collects events."""
        self._report = self._report or SpoolReport()
        return self._report
