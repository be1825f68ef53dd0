"""Arguments and errors that the commands of `python -m ingest` share."""

import argparse
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from ingest.cli.errors import CommandFailed
from ingest.wire import sqs
from ingest.wire.queue_url import InvalidQueueUrl

if TYPE_CHECKING:
    # The return type of `add_subparsers` is generic for type checkers only.
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

NO_QUEUE_URL = "Set the queue of logs with --queue-url or LOGS_QUEUE_URL."
NO_REGION = "Set the region with AWS_DEFAULT_REGION."


def add_queue_url(parser: argparse.ArgumentParser) -> None:
    """Add --queue-url, which LOGS_QUEUE_URL replaces if it is missing."""
    parser.add_argument(
        "--queue-url",
        default=os.environ.get("LOGS_QUEUE_URL"),
        metavar="URL",
        help="the queue of logs; default: LOGS_QUEUE_URL",
    )


def check_queue_url(url: str, option: str) -> None:
    """Raise CommandFailed for anything but the URL of a queue with a known region."""
    setting = f"LOGS_{option.removeprefix('--').replace('-', '_').upper()}"
    try:
        sqs.check_queue_url(url, setting if url == os.environ.get(setting) else option)
    except InvalidQueueUrl as error:
        raise CommandFailed(str(error)) from error


def check_dead_letter_urls(url: str, queue_url: str | None, *, sends: bool = True) -> None:
    """Raise CommandFailed if a URL is invalid, or if both are the same.

    `url` is that of the dead-letter queue. That of the queue of logs is checked only if the command `sends`.
    """
    if url == queue_url:
        raise CommandFailed("The queue of logs and the dead-letter queue must be different.")
    check_queue_url(url, "--dead-letter-queue-url")
    if sends and queue_url:
        check_queue_url(queue_url, "--queue-url")


def whole_number(minimum: int, maximum: int | None = None) -> Callable[[str], int]:
    """Return a type of an argument: a whole number within these limits.

    The type raises ArgumentTypeError with the limits and the value.
    """
    limits = f"of at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = minimum - 1
        if number < minimum or (maximum is not None and number > maximum):
            raise argparse.ArgumentTypeError(f"must be a whole number {limits}, not {text!r}")
        return number

    return parse
