"""Rejected messages, sent to the dead-letter queue at once, with the reason."""

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

# Logsite's own limit: the attributes explain a dead letter, they are no second copy of it.
MAX_ATTRIBUTE_BYTES = 2048
# Without these nobody can explain or redrive a dead letter.
REQUIRED_ATTRIBUTES = {"log-id", "log-sent-at", "error-code"}
WRITER_ATTRIBUTES = {
    *REQUIRED_ATTRIBUTES,
    "rejected-at",
    "error-fields",
    "error-message",
    "rejected-by",
    "conflict-sender",
    "conflict-received-at",
}


class NoDeadLetterQueue(Exception):
    """LOGS_DEAD_LETTER_QUEUE_URL is not set. The redrive policy of the queue has to move the message."""

    def __str__(self) -> str:
        return str(self.__doc__)


class NoRoomForAttributes(Exception):
    """The body leaves too few bytes for a reason. The redrive policy of the queue has to move the message."""

    def __str__(self) -> str:
        return str(self.__doc__)


class NotDeadLettered(Exception):
    """A rejected message could not be sent to the dead-letter queue.

    `rejection` is the reason why the message cannot be stored, `error` the reason why it could not be sent.
    """

    def __init__(self, rejection: Rejected, error: Exception) -> None:
        self.rejection = rejection
        self.error = error
        super().__init__(f"{type(error).__name__}: {error}")


def send(record: Mapping[str, Any], envelope: Envelope, rejection: Rejected) -> None:
    """Send one record of a Lambda SQS event to LOGS_DEAD_LETTER_QUEUE_URL, with its body.

    Message attributes:

    - `error-code`, `error-message`, `error-fields` (names, separated by commas)
    - `log-id` and `log-sent-at`: the identity of the first delivery, needed for a redrive
    - `rejected-at`, `rejected-by` (Logsite's version)
    - `conflict-sender`, `conflict-received-at`: of the log that holds the id, after an `id_conflict`
    - the sender's own attributes, as many as fit

    Costs one SendMessage. Raise NotDeadLettered if SQS did not accept the message, if no dead-letter queue is
    configured, or if the body leaves too few bytes for the required attributes.
    """
    try:
        url = os.environ.get("LOGS_DEAD_LETTER_QUEUE_URL")
        if not url:
            raise NoDeadLetterQueue
        client().send_message(
            QueueUrl=url,
            MessageBody=record["body"],
            MessageAttributes=message_attributes(record, envelope, rejection),
        )
    except Exception as error:
        # Every error, an unexpected one too, must carry the rejection: the handler logs its code.
        raise NotDeadLettered(rejection, error) from error


def message_attributes(
    record: Mapping[str, Any], envelope: Envelope, rejection: Rejected
) -> "dict[str, Attribute]":
    """Return the message attributes of a dead letter.

    They are at most ten, and have at most MAX_ATTRIBUTE_BYTES in all. SQS counts them with the body, so a
    body of almost 1 MiB leaves fewer bytes. Raise NoRoomForAttributes if the required ones do not fit.
    """
    texts = {
        "log-id": rejection.log_id or envelope.log_id,
        "log-sent-at": times.to_text(envelope.first_sent_at),
        "error-code": rejection.code,
        "rejected-at": times.to_text(datetime.now(UTC)),
        "error-fields": ",".join(rejection.fields),
        "error-message": str(rejection),
        **rejection.attributes,
        "rejected-by": f"logsite {_version()}",
    }
    candidates: dict[str, Attribute] = {
        name: attribute for name, value in texts.items() if (attribute := attributes.string(value))
    }
    for name, value in record.get("messageAttributes", {}).items():
        if name not in WRITER_ATTRIBUTES:
            candidates[name] = attributes.to_sqs(value)
    max_bytes = min(MAX_ATTRIBUTE_BYTES, sqs.MAX_BYTES - len(record["body"].encode()))
    selected = attributes.limit(candidates, max_bytes)
    if not selected.keys() >= REQUIRED_ATTRIBUTES:
        raise NoRoomForAttributes
    return selected


@functools.cache
def _version() -> str:
    """Return the version of Logsite. The package for Lambda may lack its metadata."""
    try:
        return importlib.metadata.version("django-logsite")
    except importlib.metadata.PackageNotFoundError:
        return "of unknown version"


@functools.cache
def client() -> "SQSClient":
    """Return the client of LOGS_DEAD_LETTER_QUEUE_URL, created at first use.

    An import must not need a region.
    """
    return sqs.client(queue_url=os.environ.get("LOGS_DEAD_LETTER_QUEUE_URL"))
