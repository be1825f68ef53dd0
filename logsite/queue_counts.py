"""The numbers of messages in the two queues, for the freshness of the logs."""

import logging
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings

from ingest.wire import sqs
from ingest.wire.errors import AWS_ERRORS
from ingest.wire.queue_url import InvalidQueueUrl

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

# A page shows nothing rather than wait.
READ_SECONDS = 1
# number → the setting with the URL of its queue
QUEUES = {"waiting": "LOGS_QUEUE_URL", "dead_letters": "LOGS_DEAD_LETTER_QUEUE_URL"}

logger = logging.getLogger(__name__)


def queue_counts() -> dict[str, int]:
    """Return the approximate numbers of QUEUES: messages that wait, and dead letters.

    A number is missing if its queue is not configured or does not respond. Costs one request per queue.
    """
    counts: dict[str, int] = {}
    for name, setting in QUEUES.items():
        if url := getattr(settings, setting):
            try:
                counts[name] = sqs.count_messages(_client(url), url)
            except (*AWS_ERRORS, InvalidQueueUrl) as error:
                logger.warning("The messages of %s cannot be counted: %s", setting, error)
    return counts


@cache
def _client(url: str) -> "SQSClient":
    """Return this process's client of a queue, which waits three seconds at most."""
    return sqs.client(read_timeout=READ_SECONDS, queue_url=url, attempts=1)
