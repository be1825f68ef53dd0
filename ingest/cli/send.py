"""`python -m ingest send`: send an NDJSON file, once or as it grows."""

import argparse
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
    "Send the logs in a file, one JSON object per line. A log without an id gets one that is derived from "
    "its text and line number, so sending a file twice stores each log once. Invalid lines are not sent: the "
    "command lists them with their numbers, and exits with status 1. With --follow, the command continues as "
    "the file grows, through rotation and restarts. It sends invalid lines too, and they become dead letters."
)


def add_parser(subparsers: "Subparsers") -> None:
    """Add `send` to the commands of `python -m ingest`."""
    parser = subparsers.add_parser(
        "send", help="send the logs in a file, one JSON object per line", description=DESCRIPTION
    )
    parser.add_argument("file", metavar="FILE", help="the file, or - for standard input")
    add_queue_url(parser)
    parser.add_argument(
        "--from-line",
        type=whole_number(1),
        default=1,
        metavar="N",
        help="start at this line, to continue an interrupted command",
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
    if options.follow and (options.file == "-" or options.from_line > 1):
        err.write("--follow needs a file and continues from its checkpoint: omit - and --from-line.\n")
        return 2
    check_queue_url(options.queue_url, "--queue-url")
    try:
        sender = FileSender(sqs.client(queue_url=options.queue_url), options.queue_url, err)
        if options.follow:
            return _follow(Path(options.file), options.checkpoint, sender, err)
        if options.file == "-":
            return sender.send_all(sys.stdin.buffer, 0, options.from_line)
        with Path(options.file).open("rb") as file:
            return sender.send_all(file, os.fstat(file.fileno()).st_size, options.from_line)
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

    def send_all(self, file: BinaryIO, size: int, first: int) -> int:
        """Send a file from line `first` on. Return the exit status.

        `size` is the size of the file in bytes, or 0 if it is unknown. The status is 1 if a line is refused
        or SQS is unreachable, and INTERRUPTED after Ctrl-C.
        """
        next_line = first
        status = 0
        try:
            with progress.bar(size, "Sending", "byte", self._err) as bar:
                for batch in split_batches(self._lines(file, first, bar)):
                    next_line = batch[0].place
                    result = send_batch(self.client, self.queue_url, batch)
                    self.sent += len(batch) - len(result.unsent)
                    for line in result.refused:
                        self._refuse(line.place, f"SQS refused it: {result.reason}")
                    if result.retryable:
                        self._err.write(f"{result.problem[0].upper()}{result.problem[1:]}: {result.reason}\n")
                        status = 1
                        break
                    next_line = batch[-1].end
        except KeyboardInterrupt:
            status = INTERRUPTED
        self._err.write(f"Sent: {self.sent}, refused: {self.refused}\n")
        if status:
            self._err.write(f"To continue: --from-line {next_line}\n")
        return status or (1 if self.refused else 0)

    def _lines(self, file: BinaryIO, first: int, bar: progress.Bar) -> Iterator[Line]:
        """Yield the valid lines from line `first` on. An overlong line is read in pieces and refused."""
        source = f"send:{self.queue_url}:{installation.secret()}"
        number = 0
        while line := file.readline(ndjson.MAX_LINE_BYTES + 2):
            bar.update(len(line))
            number += 1
            is_partial = len(line) > ndjson.MAX_LINE_BYTES and not line.endswith(b"\n")
            while is_partial and (rest := file.readline(ndjson.MAX_LINE_BYTES)):
                bar.update(len(rest))
                is_partial = not rest.endswith(b"\n")
            if number < first or not line.strip():
                continue
            try:
                yield ndjson.parse_line(line.rstrip(b"\r\n"), number, number + 1, source)
            except InvalidMessage as error:
                self._refuse(number, str(error))

    def _refuse(self, number: int, reason: str) -> None:
        self.refused += 1
        if self.refused <= MAX_LISTED:
            self._err.write(f"line {number}: {reason}\n")
        elif self.refused == MAX_LISTED + 1:
            self._err.write("Further refused lines are counted, but not listed.\n")
