"""The queues of the dead-letter pages, read within the time of a page."""

from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

from django.conf import settings

from ingest.cli.arguments import check_dead_letter_urls
from ingest.cli.dlq.dead_letter import DeadLetter
from ingest.cli.dlq.queue import DeadLetterQueue
from ingest.cli.errors import CommandFailed
from ingest.masking import masker
from ingest.wire import sqs

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

# The time for reading, of the ten seconds that a page takes at most.
READ_SECONDS = 3
MAX_ROWS = 100
# A long poll waits for one second.
RESPONSE_SECONDS = 3


class NotConfigured(CommandFailed):
    """The site has no URL of one of the queues."""

    def __init__(self, name: str) -> None:
        super().__init__(f"This page needs the URL of a queue: set {name} for the site.")


@dataclass(frozen=True)
class Queues:
    """The dead-letter queue, and the URL of the queue of logs."""

    dead_letters: DeadLetterQueue
    url: str


@dataclass(frozen=True)
class Inbox:
    """Dead letters of the queue, and about how many others were not read.

    `timed_out`: the time or the number of rows was too small for all of them.
    """

    dead_letters: list[DeadLetter]
    unread: int
    timed_out: bool


def connect() -> Queues:
    """Return the queues of the settings, after a check of the mask.

    Costs one request. Raise CommandFailed, or one of AWS_ERRORS.
    """
    for name in ("LOGS_DEAD_LETTER_QUEUE_URL", "LOGS_QUEUE_URL"):
        if not getattr(settings, name):
            raise NotConfigured(name)
    url, queue_url = settings.LOGS_DEAD_LETTER_QUEUE_URL, settings.LOGS_QUEUE_URL
    check_dead_letter_urls(url, queue_url)
    try:
        masker.from_environment()
    except ValueError as error:
        raise CommandFailed(str(error)) from error
    queue = DeadLetterQueue(client(url), url, is_punctual=True)
    queue.check()
    return Queues(queue, queue_url)


@cache
def client(url: str) -> "SQSClient":
    """Return this process's client of the dead-letter queue. Creating one takes 50 ms."""
    return sqs.client(read_timeout=RESPONSE_SECONDS, queue_url=url)


def read(queue: DeadLetterQueue) -> Inbox:
    """Return up to MAX_ROWS dead letters, and make all visible again.

    Costs one request, and two per ten dead letters that are read.
    """
    dead_letters: list[DeadLetter] = []
    # Without it, each page would wait for two empty responses to long polls.
    total = queue.count()
    with queue:
        if total:
            dead_letters += islice(queue.peek(READ_SECONDS), min(total, MAX_ROWS))
    is_full = len(dead_letters) == MAX_ROWS
    return Inbox(dead_letters, max(0, total - len(dead_letters)), timed_out=queue.timed_out or is_full)


def find(queue: DeadLetterQueue, message_id: str) -> DeadLetter | None:
    """Return a dead letter by its message id. It stays hidden until the queue is released.

    Costs one request per ten dead letters, for at most READ_SECONDS.
    """
    return next((each for each in queue.peek(READ_SECONDS) if each.message_id == message_id), None)
