"""`dead-letters import`: validate the corrected lines of a file, then replay their dead letters."""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

from ingest import messages
from ingest.cli import progress
from ingest.cli.dlq import ndjson, redrive
from ingest.cli.dlq.actions import describe_unread
from ingest.cli.dlq.dead_letter import DeadLetter
from ingest.cli.dlq.ndjson import MAX_LINE_BYTES, Correction
from ingest.cli.dlq.queue import MARGIN_SECONDS, DeadLetterQueue
from ingest.cli.dlq.redrive import NoRoomForIdentity, Redrive
from ingest.cli.dlq.replayed_ids import ReplayedIds
from ingest.cli.log_file import LogFile
from ingest.cli.ndjson import strip_line
from ingest.messages import InvalidMessage

# Refused lines beyond this number are counted, but not listed.
MAX_LISTED = 100
# Only the writer can detect this: it depends on the table's format.
TOO_LARGE = "too_large"


def import_file(queue: DeadLetterQueue, options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Replay the dead letters of a file with the bodies in it.

    The whole file is validated first, and lines that are invalid are listed and not sent. The status is 1 if
    a line could not be replayed, now or by an earlier run. Raise OSError if a file cannot be read, and
    CommandFailed if it has another format.
    """
    with _open(options.file) as (file, size, unit):
        return FileImport(queue, options, file, out, err, unit).run(size)


@dataclass(frozen=True)
class Line:
    """The position of a line: its number and its offset in bytes."""

    number: int
    offset: int


class FileImport:
    """One run of `import`. The bodies stay in the file, so the memory depends on the number of lines.

    `unit` is the kind of a line for messages, "line" or "log" (an element of an array).
    """

    def __init__(
        self,
        queue: DeadLetterQueue,
        options: argparse.Namespace,
        file: BinaryIO,
        out: TextIO,
        err: TextIO,
        unit: str = "line",
    ) -> None:
        self._unit = unit
        self._queue = queue
        self._options = options
        self._file = file
        self._out = out
        self._err = err
        self._checkpoint = ReplayedIds(_checkpoint_path(options))
        self._lines: dict[str, Line] = {}  # the valid ones, by message id
        self._pending: set[str] = set()  # the message ids that are neither replayed nor refused
        self._replayed = 0
        self._refused = 0

    def run(self, size: int) -> int:
        """Validate the file and replay its lines. Return the exit status.

        `size` is that of the file in bytes, or 0 if it is unknown.
        """
        earlier = self._checkpoint.load()
        self._validate(size)
        replayed_before = len(self._lines.keys() & earlier)
        self._pending = self._lines.keys() - earlier
        absent: set[str] = set()
        try:
            if self._pending:
                self._replay()
                absent = self._pending
        finally:
            self._list_absent(absent)
            title = "Would be replayed" if self._options.dry_run else "Replayed"
            self._out.write(f"{title}: {self._replayed}\n")
            if self._pending and not absent:
                self._err.write(f"To continue with the other {len(self._pending)}, repeat the command.\n")
            if replayed_before:
                self._err.write(f"Replayed before: {replayed_before}\n")
            if self._refused:
                self._err.write(f"Refused: {self._refused}. Their dead letters stay in the queue.\n")
        return 1 if self._refused or absent else 0

    def _validate(self, size: int) -> None:
        """Read the whole file, and list its invalid lines."""
        ambiguous: set[str] = set()
        with progress.bar(size, "Validating", "byte", self._err) as bar:
            for line, text in self._read_lines(bar):
                try:
                    correction = ndjson.parse_line(text)
                    messages.parse(correction.body)
                except InvalidMessage as error:
                    self._refuse(line, error)
                    continue
                first = self._lines.setdefault(correction.message_id, line)
                if first is not line:
                    ambiguous.add(correction.message_id)
                    self._refuse(
                        line, f"message_id: is that of {self._unit} {first.number} too; keep one of them"
                    )
        for message_id in ambiguous:
            self._refuse(self._lines.pop(message_id), "message_id: is that of another line too")

    def _read_lines(self, bar: progress.Bar) -> Iterator[tuple[Line, bytes]]:
        """Yield the lines that are not blank. An overlong line is refused."""
        number = offset = 0
        while text := self._file.readline(MAX_LINE_BYTES + 2):
            bar.update(len(text))
            number += 1
            line = Line(number, offset)
            is_overlong = is_partial = len(text) > MAX_LINE_BYTES and not text.endswith(b"\n")
            while is_partial and (rest := self._file.readline(MAX_LINE_BYTES)):
                bar.update(len(rest))
                is_partial = not rest.endswith(b"\n")
            offset = self._file.tell()
            text = strip_line(text)
            if is_overlong:
                self._refuse(line, f"line: must have at most {MAX_LINE_BYTES:,} bytes")
            elif text:
                yield line, text

    def _replay(self) -> None:
        """Receive dead letters until all lines have theirs, or the queue is empty. Replay those of lines."""
        if not self._options.dry_run:
            self._checkpoint.check()  # before anything is sent
        seconds = self._options.seconds or self._queue.seconds_for_all()
        self._err.write(
            "The visibility timeout hides dead letters from other consumers meanwhile, for at most "
            f"{seconds + MARGIN_SECONDS} s.\n"
        )
        title = "Checking" if self._options.dry_run else "Replaying"
        with progress.bar(len(self._pending), title, "dead letter", self._err) as bar:
            for dead_letters in self._queue.receive(seconds=seconds):
                redrives = self._redrives(dead_letters)
                for message in redrives if self._options.dry_run else self._send(redrives):
                    self._pending.remove(message.dead_letter.message_id)
                    self._replayed += 1
                    bar.update()
                    if not self._options.dry_run:
                        self._checkpoint.add(message.dead_letter.message_id)
                if not self._pending:
                    return

    def _send(self, redrives: Iterable[Redrive]) -> Iterator[Redrive]:
        def refuse(dead_letter: DeadLetter, reason: str) -> None:
            self._pending.remove(dead_letter.message_id)
            self._refuse(self._lines[dead_letter.message_id], reason)

        return redrive.send(self._queue, self._options.queue_url, redrives, refuse)

    def _redrives(self, dead_letters: Iterable[DeadLetter]) -> Iterator[Redrive]:
        """Yield the messages that replace those dead letters which have a line."""
        for dead_letter in dead_letters:
            if dead_letter.message_id not in self._pending:
                continue
            line = self._lines[dead_letter.message_id]
            try:
                yield corrected(dead_letter, self._read(line))
            except (InvalidMessage, NoRoomForIdentity) as error:
                self._pending.remove(dead_letter.message_id)
                self._refuse(line, error)

    def _read(self, line: Line) -> Correction:
        """Return the correction in a line that was read before."""
        self._file.seek(line.offset)
        return ndjson.parse_line(strip_line(self._file.readline(MAX_LINE_BYTES + 2)))

    def _refuse(self, line: Line, reason: object) -> None:
        self._refused += 1
        self._list(self._refused, f"{self._unit} {line.number}: {reason}")

    def _list_absent(self, message_ids: set[str]) -> None:
        """List the lines whose dead letters are not in the queue."""
        lines = sorted((self._lines[message_id] for message_id in message_ids), key=lambda line: line.number)
        for count, line in enumerate(lines, 1):
            self._list(count, f"{self._unit} {line.number}: no dead letter has this message id")
        if lines:
            hint = describe_unread(self._queue) or " They were replayed, discarded, or have expired."
            self._err.write(f"Without a dead letter: {len(lines)}.{hint}\n")

    def _list(self, count: int, text: str) -> None:
        if count <= MAX_LISTED:
            self._err.write(f"{text}\n")
        elif count == MAX_LISTED + 1:
            self._err.write("Further lines are counted, but not listed.\n")


def corrected(dead_letter: DeadLetter, correction: Correction) -> Redrive:
    """Return the message that replaces a dead letter.

    An unchanged body is sent as it is. Raise NoRoomForIdentity, or InvalidMessage if the body is invalid or
    the writer would reject it for the same reason as before.
    """
    if correction.message_id != dead_letter.message_id:
        raise InvalidMessage("invalid_fields", {"line": ["changed during the import"]})
    message = messages.parse(correction.body)
    code = dead_letter.reason().code
    if code == redrive.ID_CONFLICT:
        if message.id == dead_letter.log_id:
            rule = "is still that of another log; delete it for a new id, or change it"
            raise InvalidMessage(code, {"id": [rule]})
        return redrive.edited(dead_letter, correction.body)
    if not ndjson.is_unchanged(correction, dead_letter):
        return redrive.edited(dead_letter, correction.body)
    if code == TOO_LARGE:
        raise InvalidMessage(code, {"body": ["is unchanged, so the writer would reject it again"]})
    return redrive.unchanged(dead_letter)


def _checkpoint_path(options: argparse.Namespace) -> Path | None:
    """Return the path of the checkpoint. A pipe has one only if --checkpoint names it."""
    if options.checkpoint:
        return Path(options.checkpoint)
    path = Path(options.file)
    return path.with_name(f"{path.name}.logsite-checkpoint") if path.is_file() else None


@contextmanager
def _open(name: str) -> Iterator[tuple[BinaryIO, int, str]]:
    """Yield a file of lines that can be read twice, its size, and the unit of LogFile.

    A pipe, gzip and an array are copied to a temporary file first, one record per line.
    """
    with nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb") as file:
        title = "standard input" if name == "-" else name
        source = LogFile(file, title, command="dead-letters import", max_bytes=MAX_LINE_BYTES)
        if name != "-" and file.seekable() and source.unit == "line" and not source.is_gzip:
            file.seek(0)
            yield file, os.fstat(file.fileno()).st_size, source.unit
            return
        with tempfile.TemporaryFile() as copy:  # only its owner can read it
            # A tab, as a line end, is white space between values and invalid within a text.
            copy.writelines(record.replace(b"\n", b"\t") + b"\n" for record in source.records())
            size = copy.tell()
            copy.seek(0)
            yield copy, size, source.unit
