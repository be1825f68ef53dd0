"""Messages that can never be stored: sent to the dead-letter queue at once, with the reason."""

import functools
import importlib.metadata
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ingest import times
from ingest.messages import Envelope, Rejected
from ingest.wire import attributes, sqs

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef as Attribute

# Ours; the reader of a dead letter wants a reason, not a second copy of the message.
MAX_ATTRIBUTE_BYTES = 2048
ESSENTIAL = {"log-id", "log-sent-at", "error-code"}
OURS = {*ESSENTIAL, "rejected-at", "error-fields", "error-message", "rejected-by"}


class NoDeadLetterQueue(Exception):
    """LOGS_DEAD_LETTER_QUEUE_URL is not set, so SQS's own redrive has to take the message."""

    def __str__(self) -> str:
        return str(self.__doc__)


class NoRoom(Exception):
    """The message leaves no room in its 1 MiB for the reason, so SQS's own redrive has to take it."""

    def __str__(self) -> str:
        return str(self.__doc__)


def send(record: Mapping[str, Any], known: Envelope, refusal: Rejected) -> None:
    """Send one record of a Lambda SQS event to LOGS_DEAD_LETTER_QUEUE_URL, its body unchanged.

    Its message attributes: `error-code`, `error-message`, `error-fields` (names, with commas between),
    `log-id` and `log-sent-at` (what the first message was, for whoever sends it again), `rejected-at`,
    `rejected-by` (which version of ours), and the sender's own as far as they fit.

    Raises NoDeadLetterQueue where none is configured, NoRoom, and botocore's BotoCoreError or ClientError.
    """
    url = os.environ.get("LOGS_DEAD_LETTER_QUEUE_URL")
    if not url:
        raise NoDeadLetterQueue
    _client().send_message(
        QueueUrl=url, MessageBody=record["body"], MessageAttributes=reasons(record, known, refusal)
    )


def reasons(record: Mapping[str, Any], known: Envelope, refusal: Rejected) -> "dict[str, Attribute]":
    """Return a dead letter's message attributes: ten at most, MAX_ATTRIBUTE_BYTES at most in all.

    AWS counts them with the body, so a body of almost 1 MiB leaves them less. Raises NoRoom where it leaves
    too little for those without which a dead letter is a riddle.
    """
    ours = {
        "log-id": refusal.log_id or known.log_id,
        "log-sent-at": times.to_text(known.sent_at),
        "error-code": refusal.code,
        "rejected-at": times.to_text(datetime.now(UTC)),
        "error-fields": ",".join(refusal.fields),
        "error-message": str(refusal),
        "rejected-by": f"logsite {_version()}",
    }
    wanted: dict[str, Attribute] = {
        name: attribute for name, value in ours.items() if (attribute := attributes.string(value))
    }
    for name, value in record.get("messageAttributes", {}).items():
        if name not in ours:
            wanted[name] = attributes.to_sqs(value)
    taken = attributes.limit(wanted, min(MAX_ATTRIBUTE_BYTES, sqs.MAX_BYTES - len(record["body"].encode())))
    if not taken.keys() >= ESSENTIAL:
        raise NoRoom
    return taken


@functools.cache
def _version() -> str:
    try:
        return importlib.metadata.version("logsite")
    except importlib.metadata.PackageNotFoundError:
        return "of unknown version"


@functools.cache
def _client() -> "SQSClient":
    """Make the client at its first use: importing needs no region."""
    return sqs.client()
