"""`python -m ingest send`: send a file of logs, once or as it grows."""

import argparse
import hashlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

from botocore.exceptions import NoRegionError

from ingest.cli import installation, ndjson, progress
from ingest.cli.arguments import NO_QUEUE_URL, NO_REGION, add_queue_url, check_queue_url, whole_number
from ingest.cli.errors import INTERRUPTED, CommandFailed
from ingest.cli.log_file import LogFile
from ingest.cli.ndjson import Line
from ingest.cli.relay import Relay
from ingest.messages import InvalidMessage
from ingest.sending.batches import send_batch, split_batches
from ingest.wire import sqs

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

    from ingest.cli.arguments import Subparsers

# Refused lines beyond this number are counted, but not listed.
MAX_LISTED = 100

DESCRIPTION = (
    "Send the logs in a file: one JSON object per line, a JSON array, or either compressed by gzip. A log "
    "without an id gets one that is derived from the file's path, the content before it, its number and its "
    "text. So sending a file again stores each log once, also after lines were appended, and two files never "
    "share a log. After a change, the logs behind it are other logs. Invalid lines are not sent: the command "
    "lists them with their numbers, and exits with status 1. Send corrected lines as a file of their own. "
    "With --follow, the command continues as the file grows, through rotation and restarts. It sends invalid "
    "lines too, and they become dead letters."
)


def add_parser(subparsers: "Subparsers") -> None:
    """Add `send` to the commands of `python -m ingest`."""
    parser = subparsers.add_parser(
        "send", help="send the logs in a file: NDJSON, a JSON array, or gzip", description=DESCRIPTION
    )
    parser.add_argument("file", metavar="FILE", help="the file, or - for standard input")
    add_queue_url(parser)
    parser.add_argument(
        "--from-line",
        type=whole_number(1),
        default=1,
        metavar="N",
        help="start at this line, or at this log of an array, to continue an interrupted command",
    )
    parser.add_argument(
        "--source",
        metavar="NAME",
        help="derive ids from this name instead of the file's path: the earlier path of a moved file, or a "
        "name for standard input; default: the path without .gz, or - for standard input",
    )
    parser.add_argument(
        "--follow", action="store_true", help="send new lines as the file grows, until Ctrl-C or SIGTERM"
    )
    parser.add_argument(
        "--checkpoint",
        metavar="FILE",
        help="file in which --follow saves its position; default: FILE with .logsite-checkpoint appended",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Send a file. Return the exit status, 2 for contradictory options.

    Raise CommandFailed if a file cannot be read, a checkpoint is invalid, or the region is missing.
    """
    err = sys.stderr
    if not options.queue_url:
        err.write(f"{NO_QUEUE_URL}\n")
        return 2
    if options.follow and (options.file == "-" or options.from_line > 1 or options.source):
        err.write(
            "--follow needs a file and continues from its checkpoint: omit - and --from-line, and --source.\n"
        )
        return 2
    check_queue_url(options.queue_url, "--queue-url")
    try:
        sender = FileSender(sqs.client(queue_url=options.queue_url), options.queue_url, err)
        if options.follow:
            return _follow(Path(options.file), options.checkpoint, sender, err)
        if options.file == "-":
            return sender.send_all(
                sys.stdin.buffer, "standard input", options.from_line, options.source or "-"
            )
        path = Path(options.file)
        with path.open("rb") as file:
            return sender.send_all(file, options.file, options.from_line, options.source or path.resolve())
    except NoRegionError as error:
        raise CommandFailed(NO_REGION) from error
    except OSError as error:
        raise CommandFailed(str(error)) from error


def _follow(path: Path, checkpoint: str | None, sender: "FileSender", err: TextIO) -> int:
    checkpoint_path = Path(checkpoint) if checkpoint else path.with_name(f"{path.name}.logsite-checkpoint")
    relay = Relay(path, checkpoint_path, sender.client, sender.queue_url)
    signal.signal(signal.SIGINT, relay.stop)
    signal.signal(signal.SIGTERM, relay.stop)
    err.write(f"Following {path}. Its checkpoint is {checkpoint_path}. Press Ctrl-C to stop.\n")
    err.flush()
    relay.run()
    err.write(f"Stopped: {relay.sent} sent.\n")
    return 0


def _size(file: BinaryIO) -> int:
    """Return the size of a file in bytes, or 0 if it is unknown, as for a pipe."""
    try:
        return os.fstat(file.fileno()).st_size
    except OSError:
        return 0


class FileSender:
    """Sends a file once, and lists its refused lines on `err`.

    A line is refused if it is invalid, or if SQS does not accept it.
    """

    def __init__(self, client: "SQSClient", queue_url: str, err: TextIO) -> None:
        self.client = client
        self.queue_url = queue_url
        self.sent = 0
        self.refused = 0
        self._err = err

    def send_all(self, file: BinaryIO, name: str, first: int, source: str | Path) -> int:
        """Send a file from line `first` on, or from that log of an array. Return the exit status.

        `name` is for messages, and ids derive from `source`. The status is 1 if a line is refused, SQS is
        unreachable, or the file is damaged or has another format. It is INTERRUPTED after Ctrl-C.
        """
        next_line = first
        status = 0
        with progress.bar(_size(file), "Sending", "byte", self._err) as bar:
            try:
                logs = LogFile(file, name, bar.update)
                for batch in split_batches(self._lines(logs, first, os.fsencode(source))):
                    next_line = batch[0].place
                    result = send_batch(self.client, self.queue_url, batch)
                    self.sent += len(batch) - len(result.unsent)
                    for line in result.refused:
                        self._refuse(logs.unit, line.place, f"SQS refused it: {result.reason}")
                    if result.retryable:
                        problem = f"{result.problem[0].upper()}{result.problem[1:]}"
                        self._err.write(f"{problem}: {result.reason}\n")
                        status = 1
                        break
                    next_line = batch[-1].end
            except CommandFailed as error:
                self._err.write(f"{error}\n")
                status = 1
            except KeyboardInterrupt:
                status = INTERRUPTED
        self._err.write(f"Sent: {self.sent}, refused: {self.refused}\n")
        if status:
            self._err.write(f"To continue: --from-line {next_line}\n")
        return status or (1 if self.refused else 0)

    def _lines(self, logs: LogFile, first: int, source: bytes) -> Iterator[Line]:
        """Yield the valid lines from line `first` on."""
        queue_and_secret = f"send:{self.queue_url}:{installation.secret()}"
        # Of the source and of all lines before, so that equal lines of different files have different ids.
        content = hashlib.sha256((source.removesuffix(b".gz") if logs.is_gzip else source) + b"\n")
        for number, line in enumerate(logs.records(), 1):
            content_before = content.hexdigest()
            content.update(line + b"\n")
            if number < first or (not line and logs.unit == "line"):
                continue
            try:
                yield ndjson.parse_line(line, number, number + 1, f"{queue_and_secret}:{content_before}")
            except InvalidMessage as error:
                self._refuse(logs.unit, number, str(error))

    def _refuse(self, unit: str, number: int, reason: str) -> None:
        self.refused += 1
        if self.refused <= MAX_LISTED:
            self._err.write(f"{unit} {number}: {reason}\n")
        elif self.refused == MAX_LISTED + 1:
            self._err.write("Further refused lines are counted, but not listed.\n")
