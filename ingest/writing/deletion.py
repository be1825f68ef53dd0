"""Messages that are deleted from their queue before the invocation ends."""

import functools
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from ingest.wire import sqs
from ingest.wire.errors import AWS_ERRORS

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient


def delete(records: Sequence[Mapping[str, Any]], logger: Logger) -> None:
    """Delete the messages of these records of a Lambda SQS event from LOGS_QUEUE_URL.

    Lambda deletes them again after the invocation, which SQS allows. A failure is logged and harmless: SQS
    redelivers the message, and its log is then a duplicate. Costs one request per ten messages.
    """
    url = os.environ.get("LOGS_QUEUE_URL")
    if not url:
        logger.warning("not deleted: LOGS_QUEUE_URL is not set", messages=len(records))
        return
    for start in range(0, len(records), sqs.MAX_BATCH):
        batch = records[start : start + sqs.MAX_BATCH]
        try:
            response = _client(url).delete_message_batch(
                QueueUrl=url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": record["receiptHandle"]}
                    for number, record in enumerate(batch)
                ],
            )
        except AWS_ERRORS as error:
            logger.warning("not deleted", messages=len(batch), error=type(error).__name__, reason=str(error))
            return
        for failure in response.get("Failed", []):
            message_id = batch[int(failure["Id"])]["messageId"]
            logger.warning("not deleted", message_id=message_id, error=failure["Code"])


@functools.cache
def _client(queue_url: str) -> "SQSClient":
    return sqs.client(queue_url=queue_url)
