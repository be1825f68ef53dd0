"""SQS's client and limits, as every part of the way in uses them."""

import re
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from botocore.session import Session

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MAX_BATCH = 10
MAX_BYTES = 1_048_576  # a message, and all of a batch together
MAX_ATTRIBUTES = 10

MAX_CONNECTIONS = 32


def region_of(queue_url: str | None) -> str | None:
    """Return the region that an address such as `https://sqs.REGION.amazonaws.com/…` names, or None."""
    found = re.match(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?/", queue_url or "")
    return found[1] if found else None


def client(read_timeout: float = 5, queue_url: str | None = None) -> "SQSClient":
    """Return a client that gives up soon: 2 s to connect, `read_timeout` seconds to answer, three attempts.

    botocore's own limits (60 s and 60 s) would let an application, or a stop, hang. A session of its own,
    since one is not safe to make clients with in several threads. botocore's instead of boto3's: without what
    boto3 loads for S3, the writer starts sooner.
    """
    session = Session()
    session.register_component("data_loader", _loader())
    made = session.create_client(
        "sqs",
        region_name=region_of(queue_url),
        config=Config(
            connect_timeout=2,
            read_timeout=read_timeout,
            max_pool_connections=MAX_CONNECTIONS,
            retries={"mode": "standard", "total_max_attempts": 3},
        ),
    )
    return cast("SQSClient", made)


@cache
def _loader() -> Any:
    """Return what reads botocore's data on AWS. Each session would read it again, for 50 ms."""
    return Session().get_component("data_loader")
