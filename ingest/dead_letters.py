"""Messages that can never be stored: sent to the dead-letter queue at once, with the reason."""

import base64
import functools
import importlib.metadata
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ingest import sqs
from ingest.messages import Envelope, Refused
from logs import times

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef as Attribute

# Ours; the reader of a dead letter wants a reason, not a second copy of the message.
MAX_ATTRIBUTE_BYTES = 2048
MAX_TEXT_BYTES = 512
ESSENTIAL = {"log-id", "log-sent-at", "error-code"}

# SQS takes the characters of XML 1.0 and no others:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class NoDeadLetterQueue(Exception):
    """LOGS_DEAD_LETTER_QUEUE_URL is not set, so SQS's own redrive has to take the message."""

    def __str__(self) -> str:
        return str(self.__doc__)


class NoRoom(Exception):
    """The message leaves no room in its 1 MiB for the reason, so SQS's own redrive has to take it."""

    def __str__(self) -> str:
        return str(self.__doc__)


def send(record: Mapping[str, Any], known: Envelope, refusal: Refused) -> None:
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
        QueueUrl=url, MessageBody=record["body"], MessageAttributes=attributes(record, known, refusal)
    )


def attributes(record: Mapping[str, Any], known: Envelope, refusal: Refused) -> "dict[str, Attribute]":
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
        name: {"DataType": "String", "StringValue": text}
        for name, value in ours.items()
        if (text := _clean(value))
    }
    for name, value in record.get("messageAttributes", {}).items():
        if name not in ours:
            wanted[name] = _as_sent(value)
    taken = _fitting(wanted, min(MAX_ATTRIBUTE_BYTES, sqs.MAX_BYTES - len(record["body"].encode())))
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


def _clean(text: str) -> str:
    """Return a text that SQS takes as an attribute's value."""
    return NOT_XML.sub("�", text).encode()[:MAX_TEXT_BYTES].decode(errors="ignore")


def _as_sent(value: Mapping[str, Any]) -> "Attribute":
    """Spell an attribute for SendMessage, as Lambda spells it in its event (binary values as base64)."""
    if value["dataType"].startswith("Binary"):
        return {"DataType": value["dataType"], "BinaryValue": base64.b64decode(value["binaryValue"])}
    return {"DataType": value["dataType"], "StringValue": value["stringValue"]}


def _fitting(wanted: "Mapping[str, Attribute]", room: int) -> "dict[str, Attribute]":
    """Take the attributes in their order, each that still fits in `room` bytes."""
    taken: dict[str, Attribute] = {}
    for name, value in wanted.items():
        size = _size(name, value)
        if size <= room and len(taken) < sqs.MAX_ATTRIBUTES:
            taken[name] = value
            room -= size
    return taken


def _size(name: str, value: "Attribute") -> int:
    """Count an attribute as AWS does: its name, type and value, in bytes."""
    binary = value.get("BinaryValue", b"")
    text = name + value["DataType"] + value.get("StringValue", "")
    return len(text.encode()) + (len(binary) if isinstance(binary, bytes) else 0)
