"""The client and the quotas of SQS."""

import re
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from botocore.session import Session

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MAX_BATCH = 10
MAX_BYTES = 1_048_576  # of a message, and of all messages of a batch together
MAX_ATTRIBUTES = 10

# More than the threads of the writer, so that none waits for a connection.
MAX_CONNECTIONS = 32


def region_of(queue_url: str | None) -> str | None:
    """Return the region in a URL such as `https://sqs.REGION.amazonaws.com/…`, or None."""
    match = re.match(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?/", queue_url or "")
    return match[1] if match else None


def client(read_timeout: float = 5, queue_url: str | None = None) -> "SQSClient":
    """Return a client for the queue's region, with short timeouts.

    It waits 2 s for a connection and `read_timeout` seconds for a response, in up to three attempts. With
    botocore's default timeouts of 60 s, an outage would block an application or its shutdown.

    Each client has its own session, because creating clients from a shared one is not thread-safe. The
    session is botocore's: boto3's also loads code for S3, which lengthens the cold start of the writer.

    Raise botocore's NoRegionError if neither the URL nor the environment names a region.
    """
    session = Session()
    session.register_component("data_loader", _loader())
    sqs_client = session.create_client(
        "sqs",
        region_name=region_of(queue_url),
        config=Config(
            connect_timeout=2,
            read_timeout=read_timeout,
            max_pool_connections=MAX_CONNECTIONS,
            retries={"mode": "standard", "total_max_attempts": 3},
        ),
    )
    return cast("SQSClient", sqs_client)


@cache
def _loader() -> Any:
    """Return a loader of botocore's service models, shared because loading them takes 50 ms."""
    return Session().get_component("data_loader")
