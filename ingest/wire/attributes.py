"""Message attributes: what SQS takes, counted as it counts, in the spellings of its API and of Lambda."""

import base64
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ingest.wire import sqs

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef as Attribute

# SQS takes the characters of XML 1.0 and none of these:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

MAX_TEXT_BYTES = 512


def text(value: str) -> "Attribute | None":
    """Return a text as an attribute, cut to MAX_TEXT_BYTES, or None where it is empty, which SQS refuses."""
    taken = NOT_XML.sub("�", value).encode()[:MAX_TEXT_BYTES].decode(errors="ignore")
    return {"DataType": "String", "StringValue": taken} if taken else None


def for_sending(value: Mapping[str, Any]) -> "Attribute":
    """Spell an attribute for SendMessage, as Lambda spells it in its event (binary values as base64)."""
    if value["dataType"].startswith("Binary"):
        return {"DataType": value["dataType"], "BinaryValue": base64.b64decode(value["binaryValue"])}
    return {"DataType": value["dataType"], "StringValue": value["stringValue"]}


def for_lambda(value: Mapping[str, Any]) -> dict[str, Any]:
    """Spell an attribute as Lambda does in its event, as ReceiveMessage spells it."""
    told: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "StringValue" in value:
        told["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        told["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return told


def fitting(wanted: "Mapping[str, Attribute]", room: int) -> "dict[str, Attribute]":
    """Take the attributes in their order, each that still fits: ten at most, in `room` bytes."""
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
    spelled = name + value["DataType"] + value.get("StringValue", "")
    return len(spelled.encode()) + (len(binary) if isinstance(binary, bytes) else 0)
