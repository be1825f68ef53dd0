"""Follow a log file, and send its lines as it grows.

It serves applications in languages without background threads. A checkpoint records the position in the file.
A batch that was sent just before a crash is sent again with the same ids, so it is stored once.

A renamed file is followed until no process writes to it any more. A truncated file is followed in the copy
that rotation made of it. Other rotated files come next, the oldest first. The file with the original name is
the last.
"""

import logging
import os
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ingest.cli import file_format, ndjson
from ingest.cli.checkpoint import HEAD_BYTES, Checkpoint, hash_head, lock, read_head
from ingest.cli.ndjson import Line
from ingest.cli.rotation import inode_of, open_existing, rotated_files
from ingest.messages import InvalidMessage
from ingest.sending.batches import send_batch, split_batches
from ingest.wire.backoff import backoff

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

logger = logging.getLogger(__name__)

# The file is checked this often for new lines.
POLL_SECONDS = 0.2
FIRST_DELAY_SECONDS, MAX_DELAY_SECONDS = 0.5, 30.0
# At least this much is read at once. The last line is read completely, up to MAX_READ_BYTES.
CHUNK_BYTES = 1_000_000
MAX_READ_BYTES = ndjson.MAX_LINE_BYTES + 2  # with its line end
# A renamed file is finished when it has not grown for this long. Its writer uses it until it opens the new
# file.
QUIET_SECONDS = 10.0


class Relay:
    """Follows one file until `stop` is called. `sent` is the number of sent lines."""

    def __init__(self, path: Path, checkpoint_path: Path, client: "SQSClient", queue_url: str) -> None:
        self.sent = 0
        self._path = path
        self._checkpoint_path = checkpoint_path
        self._client = client
        self._queue_url = queue_url
        self._stopping = False
        self._file: BinaryIO | None = None
        self._checkpoint = Checkpoint(0, 0, "")
        self._head = b""
        self._quiet_since: float | None = None

    def stop(self, *_: object) -> None:
        """Stop after the current batch. Also a signal handler."""
        self._stopping = True

    def run(self) -> None:
        """Send present and future lines until `stop` is called.

        An outage of SQS is logged and retried. Raise CommandFailed if the checkpoint is invalid, if another
        relay uses it, or if the file is no NDJSON in UTF-8. Raise OSError if a file cannot be read or the
        checkpoint cannot be written.
        """
        with lock(self._checkpoint_path, "relay", f"follows {self._path}"):
            try:
                self._resume()
                while not self._stopping:
                    if not self._send_chunk() and not self._open_next():
                        self._sleep(POLL_SECONDS)
            finally:
                self._close()

    def _resume(self) -> None:
        """Continue at the checkpoint, if there is one."""
        checkpoint = Checkpoint.load(self._checkpoint_path)
        if checkpoint is None:
            return
        self._checkpoint = checkpoint
        if not self._reopen():
            logger.warning("the file of the checkpoint no longer exists: lines that were not sent are lost")

    def _reopen(self) -> bool:
        """Open the checkpoint's file under its current name, or a copy of it. Return whether it exists."""
        self._close()
        checkpoint = self._checkpoint
        candidates = [self._path, *rotated_files(self._path)]
        for path in sorted(candidates, key=lambda path: inode_of(path) != checkpoint.inode):
            if (file := open_existing(path)) is None:
                continue
            inode = os.fstat(file.fileno()).st_ino
            # At offset 0 every file matches, so the inode decides.
            if checkpoint.matches(file) and (checkpoint.offset or inode == checkpoint.inode):
                self._file, checkpoint.inode = file, inode
                self._head = read_head(file, checkpoint.offset)
                return True
            file.close()
        return False

    def _open_next(self) -> bool:
        """Open the next file if the current one is finished. Return whether a file was opened."""
        if self._file and not self._checkpoint.matches(self._file) and self._reopen():
            return True
        path = self._path
        if self._file:
            if not self._is_finished():
                return False
            modified = os.fstat(self._file.fileno()).st_mtime_ns
            later = (path for path, time_ns in rotated_files(self._path).items() if time_ns > modified)
            path = next(later, self._path)
        if (file := open_existing(path)) is None:
            return False
        self._close()
        self._file = file
        self._checkpoint = Checkpoint(os.fstat(file.fileno()).st_ino, 0, uuid.uuid4().hex)
        self._head = b""
        # Saved before anything is sent, because the logs' ids are derived from the generation.
        self._save()
        return True

    def _is_finished(self) -> bool:
        """Return whether the file is renamed, quiet for QUIET_SECONDS, and completely sent."""
        if inode_of(self._path) in (None, self._checkpoint.inode):
            self._quiet_since = None
            return False
        if self._quiet_since is None:
            self._quiet_since = time.monotonic()
        if time.monotonic() - self._quiet_since < QUIET_SECONDS:
            return False
        while not self._stopping and self._send_chunk(is_finished=True):
            pass
        return not self._stopping

    def _send_chunk(self, *, is_finished: bool = False) -> bool:
        """Send the next lines. Return whether there were any.

        A last line without a line end is sent only if the file `is_finished`.
        """
        if self._file is None or not self._checkpoint.matches(self._file):
            return False
        lines, offset = self._read(self._file, is_finished=is_finished)
        if offset == self._checkpoint.offset:
            return False
        self._quiet_since = None
        for batch in split_batches(lines):
            if not self._send(batch):
                return True
            self.sent += len(batch)
            self._checkpoint.offset = batch[-1].end
            self._save()
        self._checkpoint.offset = offset
        self._save()
        return True

    def _read(self, file: BinaryIO, *, is_finished: bool) -> tuple[list[Line], int]:
        """Return the next lines, and the offset of their end."""
        lines: list[Line] = []
        start = offset = self._checkpoint.offset
        if not offset:
            head = os.pread(file.fileno(), file_format.HEAD_BYTES, 0)
            file_format.check_followed(head, str(self._path))
        file.seek(offset)
        while offset - start < CHUNK_BYTES and (line := file.readline(MAX_READ_BYTES)):
            if not (line.endswith(b"\n") or is_finished or len(line) == MAX_READ_BYTES):
                break
            if text := ndjson.strip_line(line):
                lines.append(self._parse_line(text, offset, offset + len(line)))
            offset += len(line)
            if len(self._head) < HEAD_BYTES:
                self._head = (self._head + line)[:HEAD_BYTES]
        return lines, offset

    def _parse_line(self, line: bytes, offset: int, end: int) -> Line:
        """Return the log in a line. An invalid line is logged without its text, and stays invalid."""
        try:
            return ndjson.parse_line(line, offset, end, self._checkpoint.generation)
        except Exception as error:  # noqa: BLE001  no line may stop the relay
            # The text of another error may quote the line.
            reason = error if isinstance(error, InvalidMessage) else type(error).__name__
            logger.warning("%s, line at byte %d will be a dead letter: %s", self._path, offset, reason)
            return ndjson.invalid_line(line, offset, end)

    def _send(self, batch: list[Line]) -> bool:
        """Send a batch, with retries. Return False if the relay is stopped meanwhile."""
        delays = backoff(FIRST_DELAY_SECONDS, MAX_DELAY_SECONDS)
        while batch:
            result = send_batch(self._client, self._queue_url, batch)
            if result.refused:
                logger.warning("SQS refused %d lines, which are lost: %s", len(result.refused), result.reason)
            batch = result.retryable
            if batch:
                logger.warning("%s, retrying: %s", result.problem, result.reason)
                self._sleep(next(delays))
                if self._stopping:
                    return False
        return True

    def _save(self) -> None:
        # The hash of the data that was read, because the file may have been truncated since.
        self._checkpoint.head = hash_head(self._head[: self._checkpoint.offset])
        self._checkpoint.save(self._checkpoint_path)

    def _close(self) -> None:
        if self._file:
            self._file.close()
            self._file = None

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._stopping and (remaining := end - time.monotonic()) > 0:
            time.sleep(min(remaining, POLL_SECONDS))
