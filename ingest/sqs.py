"""SQS's client and limits, as every part of the way in uses them."""

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MAX_BATCH = 10
MAX_BYTES = 1_048_576  # a message, and all of a batch together
MAX_ATTRIBUTES = 10


def client(read_timeout: float = 5) -> "SQSClient":
    """Return a client that gives up soon: 2 s to connect, `read_timeout` seconds to answer, three attempts.

    botocore's own limits (60 s and 60 s) would let an application, or a stop, hang. A session of its own,
    since boto3's default one is not safe to make clients with in several threads.
    """
    return boto3.session.Session().client(
        "sqs",
        config=Config(
            connect_timeout=2,
            read_timeout=read_timeout,
            retries={"mode": "standard", "total_max_attempts": 3},
        ),
    )
