"""A relay for languages without background threads: sends what is written to a file, as it grows.

The checkpoint names the file (its inode, and a hash of its beginning, since inodes are used again), how far
it was sent, and the generation: a name for one life of the file, from which the ids of its logs are made. A
batch that was sent just before a crash is sent again, under the same ids, and stored once.
"""

import hashlib
import json
import logging
import os
import random
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ingest import ndjson, sending
from ingest.messages import InvalidMessage
from ingest.ndjson import Line

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.2
FIRST_PAUSE, MAX_PAUSE = 0.5, 30.0
# How much is read ahead, at least; a line is read whole.
CHUNK_BYTES = 1_000_000
HEAD_BYTES = 1024


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

    def stop(self, *_: object) -> None:
        """Stop after the batch in hand."""
        self._stopping = True

    def run(self) -> None:
        """Send what is there and what comes, until `stop` is called. Raises OSError."""
        self._resume()
        try:
            while not self._stopping:
                if not (self._file and self._send_some()) and not self._turn():
                    self._sleep(TICK_SECONDS)
        finally:
            if self._file:
                self._file.close()

    def _resume(self) -> None:
        """Open the checkpoint's file where it still is, under its name or another that it was rotated to."""
        try:
            kept = Checkpoint(**json.loads(self._kept.read_text()))
        except FileNotFoundError:
            return
        except (ValueError, TypeError) as error:
            raise OSError(f"{self._kept} is no checkpoint: delete it to begin anew") from error
        for path in [self._path, *self._path.parent.glob(f"{self._path.name}*")]:
            if path.exists() and path.stat().st_ino == kept.inode:
                file = path.open("rb")
                if _head(file, kept.offset) == kept.head:
                    self._file, self._at = file, kept
                    return
                file.close()
        logger.warning("the file that the checkpoint names is gone: what was not sent of it is lost")

    def _turn(self) -> bool:
        """Begin the file anew where it was rotated or emptied; return whether there is something new."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return False
        if self._file and found.st_ino == self._at.inode and found.st_size >= self._at.offset:
            return False
        if self._file:
            self._send_some(is_ended=True)
            self._file.close()
        self._file = self._path.open("rb")
        self._at = Checkpoint(os.fstat(self._file.fileno()).st_ino, 0, uuid.uuid4().hex)
        # Before anything is sent: the ids hang on it.
        self._keep()
        return True

    def _send_some(self, *, is_ended: bool = False) -> bool:
        """Send what was read in one go; return whether there was any. A line without an end waits for it."""
        lines, offset = self._read(is_ended=is_ended)
        if offset == self._at.offset:
            return False
        for batch in sending.batches(lines):
            if not self._send(batch):
                return True
            self.sent += len(batch)
            self._at.offset = batch[-1].end
            self._keep()
        self._at.offset = offset
        self._keep()
        return True

    def _read(self, *, is_ended: bool) -> tuple[list[Line], int]:
        """Return the next lines, and where they end."""
        lines: list[Line] = []
        offset = self._at.offset
        if self._file is None:
            return lines, offset
        self._file.seek(offset)
        while offset - self._at.offset < CHUNK_BYTES and (line := self._file.readline()):
            if not line.endswith(b"\n") and not is_ended:
                break
            if line.strip():
                lines.append(self._line(line.rstrip(b"\r\n"), offset, offset + len(line)))
            offset += len(line)
        return lines, offset

    def _line(self, line: bytes, offset: int, end: int) -> Line:
        try:
            return ndjson.read(line, offset, end, self._at.generation)
        except InvalidMessage as error:
            logger.warning("%s, at byte %d, will be a dead letter: %s", self._path, offset, error)
            return ndjson.as_it_is(line, offset, end)

    def _send(self, batch: list[Line]) -> bool:
        """Send a batch, as long as that takes; return False where it is to stop meanwhile."""
        pause = FIRST_PAUSE
        left = batch
        while left:
            unsent = sending.send(self._client, self._queue_url, left)
            if unsent.refused:
                logger.warning("SQS refuses %d lines for good: %s", len(unsent.refused), unsent.reason)
            left = unsent.waiting
            if left:
                logger.warning("SQS takes no logs at the moment, they wait: %s", unsent.reason)
                self._sleep(pause * random.uniform(0.5, 1))  # noqa: S311  no secret
                if self._stopping:
                    return False
                pause = min(MAX_PAUSE, pause * 2)
        return True

    def _keep(self) -> None:
        """Write the checkpoint; a half-written one never takes the place of a whole one."""
        if self._file:
            self._at.head = _head(self._file, self._at.offset)
        draft = self._kept.with_name(f"{self._kept.name}.draft")
        draft.write_text(json.dumps(asdict(self._at)))
        draft.replace(self._kept)

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._stopping and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, TICK_SECONDS))


def _head(file: BinaryIO, offset: int) -> str:
    """Return a hash of a file's beginning, as far as it was sent."""
    size = min(offset, HEAD_BYTES)
    head = os.pread(file.fileno(), size, 0)
    return hashlib.sha256(head).hexdigest() if len(head) == size else ""
