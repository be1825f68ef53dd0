"""The client and the quotas of SQS."""

import os
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.session import Session

from ingest.wire.queue_url import InvalidQueueUrl, QueueAddress, parse

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MAX_BATCH = 10
MAX_BYTES = 1_048_576  # of a message, and of all messages of a batch together
MAX_ATTRIBUTES = 10

MAX_ATTEMPTS = 3
# More than the threads of the writer, so that none waits for a connection.
MAX_CONNECTIONS = 32


def region_of(queue_url: str | None) -> str | None:
    """Return the region in the URL of a queue, None if it names none. Raise InvalidQueueUrl."""
    return None if queue_url is None else parse(queue_url).region


def check_queue_url(queue_url: str, name: str = "queue_url") -> None:
    """Raise InvalidQueueUrl for anything but the URL of a queue.

    Also raise it if no region is set. The region is that of the URL, otherwise that of the environment.
    `name` is the parameter or setting for the message. Costs no request.
    """
    if parse(queue_url, name).region:
        return
    try:
        region = Session().get_config_variable("region")
    except BotoCoreError as error:  # such as an unknown profile
        raise InvalidQueueUrl(
            f"{name} names no region, and AWS's configuration is invalid: {error}"
        ) from error
    if not region:
        raise InvalidQueueUrl(f"{name} names no region: set AWS_DEFAULT_REGION")


def count_messages(client: "SQSClient", queue_url: str) -> int:
    """Return the approximate number of messages in a queue, in flight or not. Costs one request."""
    response = client.get_queue_attributes(
        QueueUrl=queue_url,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )
    return sum(int(number) for number in response["Attributes"].values())


def client(
    read_timeout: float = 5, queue_url: str | None = None, attempts: int = MAX_ATTEMPTS
) -> "SQSClient":
    """Return a client for the queue's region and endpoint, with short timeouts.

    The region in the URL precedes that of the environment. A configured endpoint, such as
    AWS_ENDPOINT_URL_SQS, precedes the endpoint in the URL. boto3 itself ignores the URL's host.

    It waits 2 s for a connection and `read_timeout` seconds for a response, in up to three `attempts`. With
    botocore's default timeouts of 60 s, an outage would block an application or its shutdown.

    Each client has its own session, because creating clients from a shared one is not thread-safe. The
    session is botocore's: boto3's also loads code for S3, which lengthens the cold start of the writer.

    Raise InvalidQueueUrl for everything but the URL of a queue, and botocore's NoRegionError if neither the
    URL nor the environment names a region.
    """
    session = Session()
    session.register_component("data_loader", _loader())
    address = parse(queue_url) if queue_url is not None else QueueAddress(None, None)
    config = Config(
        connect_timeout=2,
        read_timeout=read_timeout,
        max_pool_connections=MAX_CONNECTIONS,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
    endpoint = None if _has_endpoint(session) else address.endpoint
    if endpoint:
        # botocore refuses an endpoint together with the settings that would choose another one.
        config = config.merge(Config(use_fips_endpoint=False, use_dualstack_endpoint=False))
    sqs_client = session.create_client(
        "sqs", region_name=address.region, endpoint_url=endpoint, config=config
    )
    return cast("SQSClient", sqs_client)


def _has_endpoint(session: Session) -> bool:
    """Return whether the environment or AWS's configuration file sets the endpoint of SQS.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    if session.get_config_variable("ignore_configured_endpoint_urls"):
        return False
    profile = session.get_scoped_config()
    services = session.full_config.get("services", {}).get(profile.get("services"), {})
    return any(
        (
            os.environ.get("AWS_ENDPOINT_URL_SQS"),
            os.environ.get("AWS_ENDPOINT_URL"),
            profile.get("endpoint_url"),
            services.get("sqs", {}).get("endpoint_url"),
        )
    )


@cache
def _loader() -> Any:
    """Return a loader of botocore's service models, shared because loading them takes 50 ms."""
    return Session().get_component("data_loader")
