"""SQS's client and quotas, shared by the client, the command line and the writer."""

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

MAX_CONNECTIONS = 32


def region_of(queue_url: str | None) -> str | None:
    """Return the region in a URL such as `https://sqs.REGION.amazonaws.com/…`, or None."""
    match = re.match(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?/", queue_url or "")
    return match[1] if match else None


def client(read_timeout: float = 5, queue_url: str | None = None) -> "SQSClient":
    """Return a client with short timeouts: 2 s to connect, `read_timeout` seconds to read, three attempts.

    botocore's default timeouts of 60 s would block an application or its shutdown. Each client has its own
    session, because creating clients from a shared one is not thread-safe. The session is botocore's, not
    boto3's, which also loads code for S3 and would lengthen the writer's cold start.
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
    """Return a shared loader of botocore's service models. Each session would load them again, in 50 ms."""
    return Session().get_component("data_loader")
