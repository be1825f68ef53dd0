"""Lambda's SQS event and context, for a worker that calls the handler itself."""

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ingest.wire import attributes

# Like the timeout of a Lambda function: well below the visibility timeout of the queue.
INVOCATION_SECONDS = 15.0


@dataclass(frozen=True)
class Context:
    """The part of a Lambda context that Powertools and the handler read."""

    is_stopping: Callable[[], bool]
    ends_at: float = field(default_factory=lambda: time.monotonic() + INVOCATION_SECONDS)
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_name: str = "ingest.worker"
    memory_limit_in_mb: int = 0
    invoked_function_arn: str = "arn:aws:lambda:local:000000000000:function:ingest-worker"

    def get_remaining_time_in_millis(self) -> int:
        """Return the remaining time of the batch, or 0 once the worker is stopping."""
        return 0 if self.is_stopping() else max(0, int((self.ends_at - time.monotonic()) * 1000))


def record(message: Mapping[str, Any], arn: str) -> dict[str, Any]:
    """Return a received message as a record of Lambda's SQS event.

    The message must have all attributes. Names are in camel case and binary values in base64:
    https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """
    result = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message["Attributes"]),
        "messageAttributes": {
            name: attributes.to_lambda(value) for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": arn.split(":")[3],
    }
    if "MD5OfMessageAttributes" in message:
        result["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    return result


def queue_arn(queue_url: str, region: str, partition: str = "aws") -> str:
    """Return the ARN of the queue at `https://…/ACCOUNT/NAME`."""
    account, name = urlsplit(queue_url).path.rsplit("/", 2)[1:]
    return f"arn:{partition}:sqs:{region}:{account}:{name}"
