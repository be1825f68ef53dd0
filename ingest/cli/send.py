"""`python -m ingest send`: logs from a file of NDJSON, once, or as it grows."""

import argparse
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

from botocore.exceptions import NoRegionError

from ingest.cli import ndjson, progress
from ingest.cli.ndjson import Line
from ingest.cli.relay import Relay
from ingest.messages import InvalidMessage
from ingest.sending.batches import send_batch, split_batches
from ingest.wire import sqs

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

    # What `add_subparsers` returns is generic for type checkers alone.
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

STOPPED = 130  # what a shell says of a command that Ctrl-C ended
# How many refused lines are told one by one.
MAX_TOLD = 100

DESCRIPTION = (
    "Send the logs of a file, one JSON object a line. A log without an id gets one of its text and the "
    "number of its line, so sending a file twice stores nothing twice. Lines that are no logs are not sent, "
    "but told with their numbers; the exit status is 1 then. With --follow it goes on as the file grows, "
    "through rotation and restarts, and sends on what is no log too, to become a dead letter."
)


def add_parser(subparsers: "Subparsers") -> None:
    """Add `send` to the commands of `python -m ingest`."""
    parser = subparsers.add_parser(
        "send", help="logs from a file, one JSON object a line", description=DESCRIPTION
    )
    parser.add_argument("file", metavar="FILE", help="the file, or - for standard input")
    parser.add_argument(
        "--queue-url", default=os.environ.get("LOGS_QUEUE_URL"), metavar="URL", help="default: LOGS_QUEUE_URL"
    )
    parser.add_argument(
        "--from-line",
        type=_line,
        default=1,
        metavar="N",
        help="begin with this line, where a sending was stopped",
    )
    parser.add_argument(
        "--follow", action="store_true", help="go on as the file grows, until Ctrl-C or SIGTERM"
    )
    parser.add_argument(
        "--checkpoint",
        metavar="FILE",
        help="where --follow keeps how far it is; default: the file's name with .logsite-checkpoint",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, err: TextIO | None = None) -> int:
    """Send; return the exit status. What goes wrong is said in words on `err`."""
    err = err or sys.stderr
    if not options.queue_url:
        err.write("Name the queue in --queue-url or LOGS_QUEUE_URL.\n")
        return 2
    if options.follow and (options.file == "-" or options.from_line > 1):
        err.write("--follow takes a file, and knows by itself where to go on: neither - nor --from-line.\n")
        return 2
    try:
        sender = Sender(sqs.client(queue_url=options.queue_url), options.queue_url, err)
        if options.follow:
            return _follow(Path(options.file), options.checkpoint, sender, err)
        if options.file == "-":
            return sender.send_all(sys.stdin.buffer, 0, options.from_line)
        with Path(options.file).open("rb") as file:
            return sender.send_all(file, os.fstat(file.fileno()).st_size, options.from_line)
    except NoRegionError:
        err.write("Name the region in AWS_DEFAULT_REGION.\n")
    except OSError as error:
        err.write(f"{error}\n")
    return 1


def _follow(path: Path, checkpoint: str | None, sender: "Sender", err: TextIO) -> int:
    kept = Path(checkpoint) if checkpoint else path.with_name(f"{path.name}.logsite-checkpoint")
    relay = Relay(path, kept, sender.client, sender.queue_url)
    signal.signal(signal.SIGINT, relay.stop)
    signal.signal(signal.SIGTERM, relay.stop)
    err.write(f"Following {path}; how far it is stands in {kept}. Ctrl-C stops.\n")
    err.flush()
    relay.run()
    err.write(f"Stopped: {relay.sent} sent.\n")
    return 0


class Sender:
    """Sends a file once, and tells what of it was refused."""

    def __init__(self, client: "SQSClient", queue_url: str, err: TextIO) -> None:
        self.client = client
        self.queue_url = queue_url
        self.sent = 0
        self.refused = 0
        self._err = err

    def send_all(self, file: BinaryIO, size: int, first: int) -> int:
        """Send the lines of a file of `size` bytes (0: unknown), from line `first` on; return the status."""
        going_on = first
        status = 0
        try:
            with progress.bar(size, "Sending", "byte", self._err) as bar:
                for batch in split_batches(self._lines(file, first, bar)):
                    going_on = batch[0].place
                    unsent = send_batch(self.client, self.queue_url, batch)
                    self.sent += len(batch) - len(unsent.unsent)
                    for line in unsent.refused:
                        self._refuse(line.place, f"SQS refuses it: {unsent.reason}")
                    if unsent.retryable:
                        self._err.write(f"SQS takes no logs at the moment: {unsent.reason}\n")
                        status = 1
                        break
                    going_on = batch[-1].end
        except KeyboardInterrupt:
            status = STOPPED
        self._err.write(f"Sent: {self.sent}, refused: {self.refused}\n")
        if status:
            self._err.write(f"To go on: --from-line {going_on}\n")
        return status or (1 if self.refused else 0)

    def _lines(self, file: BinaryIO, first: int, bar: progress.Bar) -> Iterator[Line]:
        number = 0
        while line := file.readline(ndjson.MAX_LINE_BYTES + 2):
            bar.update(len(line))
            number += 1
            is_long = len(line) > ndjson.MAX_LINE_BYTES and not line.endswith(b"\n")
            while is_long and (rest := file.readline(ndjson.MAX_LINE_BYTES)):
                bar.update(len(rest))
                is_long = not rest.endswith(b"\n")
            if number < first or not line.strip():
                continue
            try:
                yield ndjson.read(line.rstrip(b"\r\n"), number, number + 1, "send")
            except InvalidMessage as error:
                self._refuse(number, str(error))

    def _refuse(self, number: int, why: str) -> None:
        self.refused += 1
        if self.refused <= MAX_TOLD:
            self._err.write(f"line {number}: {why}\n")
        elif self.refused == MAX_TOLD + 1:
            self._err.write("more lines are refused, which are only counted\n")


def _line(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on, not {text!r}")
    return number
