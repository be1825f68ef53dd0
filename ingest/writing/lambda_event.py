"""Lambda's SQS event, built from messages that ReceiveMessage returned."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ingest.wire import attributes


def record(message: Mapping[str, Any], arn: str) -> dict[str, Any]:
    """Return a received message as a record of Lambda's SQS event.

    Names are in camel case and binary values in base64: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
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
    account, _, name = urlsplit(queue_url).path.strip("/").rpartition("/")
    return f"arn:{partition}:sqs:{region}:{account}:{name}"
