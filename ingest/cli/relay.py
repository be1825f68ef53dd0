"""A relay for languages without background threads: sends what is written to a file, as it grows.

The checkpoint names the file (its inode, and a hash of its beginning, since inodes are used again), how far
it was sent, and the generation: a name for one life of the file, from which the ids of its logs are made. A
batch that was sent just before a crash is sent again, under the same ids, and stored once.

A file that was renamed is followed until its writers have let go of it, one that was emptied in the copy that
was made of it; then those that were rotated meanwhile, the oldest first, and the one of that name at last.
"""

import hashlib
import json
import logging
import os
import re
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ingest.cli import ndjson
from ingest.cli.ndjson import Line
from ingest.messages import InvalidMessage
from ingest.sending.batches import send_batch, split_batches
from ingest.wire.backoff import backoff

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.2
FIRST_BACKOFF_SECONDS, MAX_BACKOFF_SECONDS = 0.5, 30.0
# How much is read ahead, at least; a line is read whole, up to what a log may have, and its end.
CHUNK_BYTES = 1_000_000
MAX_READ_BYTES = ndjson.MAX_LINE_BYTES + 2
HEAD_BYTES = 1024
# How long a renamed file must not have grown before it counts as ended: a writer goes on in it until it is
# told to open the next one.
QUIET_SECONDS = 10.0
# What rotation appends to a name: `.1`, `-20261125`, `.2026-11-25_22`. Not `.gz`: that holds no lines.
ROTATED = re.compile(r"[.-][0-9][0-9T:_.-]*")


@dataclass
class Checkpoint:
    """How far a file was sent."""

    inode: int
    offset: int
    generation: str
    head: str = ""


class Relay:
    """Follows one file until it is told to stop."""

    def __init__(self, path: Path, checkpoint: Path, client: "SQSClient", queue_url: str) -> None:
        self.sent = 0
        self._path = path
        self._kept = checkpoint
        self._client = client
        self._queue_url = queue_url
        self._stopping = False
        self._file: BinaryIO | None = None
        self._at = Checkpoint(0, 0, "")
        self._beginning = b""
        self._quiet_since: float | None = None

    def stop(self, *_: object) -> None:
        """Stop after the batch in hand."""
        self._stopping = True

    def run(self) -> None:
        """Send what is there and what comes, until `stop` is called. Raises OSError."""
        self._resume()
        try:
            while not self._stopping:
                if not self._send_some() and not self._turn():
                    self._sleep(TICK_SECONDS)
        finally:
            self._close()

    def _resume(self) -> None:
        try:
            self._at = Checkpoint(**json.loads(self._kept.read_text()))
        except FileNotFoundError:
            return
        except (ValueError, TypeError) as error:
            raise OSError(f"{self._kept} is no checkpoint: delete it to begin anew") from error
        if not self._find():
            logger.warning("the file that the checkpoint names is gone: what was not sent of it is lost")

    def _find(self) -> bool:
        """Open the checkpoint's file, whatever its name is now, or a copy; return whether it is there."""
        self._close()
        for path in sorted([self._path, *self._rotated()], key=lambda path: _inode(path) != self._at.inode):
            if (file := _opened(path)) is None:
                continue
            inode = os.fstat(file.fileno()).st_ino
            # Where nothing was sent yet, any file begins alike.
            if self._is_intact(file) and (self._at.offset or inode == self._at.inode):
                self._file, self._at.inode = file, inode
                self._beginning = _beginning(file, self._at.offset)
                return True
            file.close()
        return False

    def _rotated(self) -> dict[Path, int]:
        """Return the files that rotation has made of this one, the oldest first, with their last change."""
        name = self._path.name
        found = {}
        for path in self._path.parent.iterdir():
            if path.name.startswith(name) and ROTATED.fullmatch(path.name.removeprefix(name)):
                with suppress(FileNotFoundError):  # renamed just now
                    found[path] = path.stat().st_mtime_ns
        return dict(sorted(found.items(), key=itemgetter(1)))

    def _is_intact(self, file: BinaryIO) -> bool:
        """Tell whether what was sent stands in a file; it may have been emptied, and have grown again."""
        size = os.fstat(file.fileno()).st_size
        return size >= self._at.offset and _hash(_beginning(file, self._at.offset)) == self._at.head

    def _turn(self) -> bool:
        """Begin the next file where this one has ended; return whether there is something new."""
        if self._file and not self._is_intact(self._file) and self._find():
            return True
        path = self._path
        if self._file:
            if not self._is_ended():
                return False
            ended = os.fstat(self._file.fileno()).st_mtime_ns
            path = next((path for path, changed in self._rotated().items() if changed > ended), self._path)
        if (file := _opened(path)) is None:
            return False
        self._close()
        self._file = file
        self._at = Checkpoint(os.fstat(file.fileno()).st_ino, 0, uuid.uuid4().hex)
        self._beginning = b""
        # Before anything is sent: the ids hang on it.
        self._keep()
        return True

    def _is_ended(self) -> bool:
        """Tell whether all of a file that was renamed is sent, and nobody writes to it any more."""
        if _inode(self._path) in (None, self._at.inode):
            self._quiet_since = None
            return False
        if self._quiet_since is None:
            self._quiet_since = time.monotonic()
        if time.monotonic() - self._quiet_since < QUIET_SECONDS:
            return False
        while not self._stopping and self._send_some(is_ended=True):
            pass
        return not self._stopping

    def _send_some(self, *, is_ended: bool = False) -> bool:
        """Send what was read in one go; return whether there was any. A line without an end waits for it."""
        if self._file is None or not self._is_intact(self._file):
            return False
        lines, offset = self._read(self._file, is_ended=is_ended)
        if offset == self._at.offset:
            return False
        self._quiet_since = None
        for batch in split_batches(lines):
            if not self._send(batch):
                return True
            self.sent += len(batch)
            self._at.offset = batch[-1].end
            self._keep()
        self._at.offset = offset
        self._keep()
        return True

    def _read(self, file: BinaryIO, *, is_ended: bool) -> tuple[list[Line], int]:
        """Return the next lines, and where they end."""
        lines: list[Line] = []
        offset = self._at.offset
        file.seek(offset)
        while offset - self._at.offset < CHUNK_BYTES and (line := file.readline(MAX_READ_BYTES)):
            if not (line.endswith(b"\n") or is_ended or len(line) == MAX_READ_BYTES):
                break
            if line.strip():
                lines.append(self._line(line.rstrip(b"\r\n"), offset, offset + len(line)))
            offset += len(line)
            if len(self._beginning) < HEAD_BYTES:
                self._beginning = (self._beginning + line)[:HEAD_BYTES]
        return lines, offset

    def _line(self, line: bytes, offset: int, end: int) -> Line:
        try:
            return ndjson.read(line, offset, end, self._at.generation)
        except InvalidMessage as error:
            logger.warning("%s, at byte %d, will be a dead letter: %s", self._path, offset, error)
            return ndjson.as_it_is(line, offset, end)

    def _send(self, batch: list[Line]) -> bool:
        """Send a batch, as long as that takes; return False where it is to stop meanwhile."""
        delays = backoff(FIRST_BACKOFF_SECONDS, MAX_BACKOFF_SECONDS)
        left = batch
        while left:
            unsent = send_batch(self._client, self._queue_url, left)
            if unsent.refused:
                logger.warning("SQS refuses %d lines for good: %s", len(unsent.refused), unsent.reason)
            left = unsent.retryable
            if left:
                logger.warning("SQS takes no logs at the moment, they wait: %s", unsent.reason)
                self._sleep(next(delays))
                if self._stopping:
                    return False
        return True

    def _keep(self) -> None:
        """Write the checkpoint; a half-written one never takes the place of a whole one."""
        # Not of the file as it is now: it may have been emptied meanwhile.
        self._at.head = _hash(self._beginning[: self._at.offset])
        draft = self._kept.with_name(f"{self._kept.name}.draft")
        with draft.open("w") as file:
            file.write(json.dumps(asdict(self._at)))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._kept)

    def _close(self) -> None:
        if self._file:
            self._file.close()
            self._file = None

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._stopping and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, TICK_SECONDS))


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def _opened(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _beginning(file: BinaryIO, offset: int) -> bytes:
    return os.pread(file.fileno(), min(offset, HEAD_BYTES), 0)


def _hash(beginning: bytes) -> str:
    return hashlib.sha256(beginning).hexdigest()
