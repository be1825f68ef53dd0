"""Message attributes: size limits, and the formats of SQS and of Lambda."""

import base64
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ingest.wire import sqs

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef as Attribute

# SQS rejects characters outside XML 1.0:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

MAX_TEXT_BYTES = 512


def string(text: str) -> "Attribute | None":
    """Return a String attribute, truncated to MAX_TEXT_BYTES, or None if it is empty.

    SQS rejects empty attributes. Characters outside XML 1.0 are replaced by U+FFFD.
    """
    value = NOT_XML.sub("�", text).encode()[:MAX_TEXT_BYTES].decode(errors="ignore")
    return {"DataType": "String", "StringValue": value} if value else None


def to_sqs(attribute: Mapping[str, Any]) -> "Attribute":
    """Return an attribute of a Lambda event in the format of SendMessage.

    Lambda encodes binary values in base64, SendMessage takes bytes.
    """
    if attribute["dataType"].startswith("Binary"):
        return {
            "DataType": attribute["dataType"],
            "BinaryValue": base64.b64decode(attribute["binaryValue"]),
        }
    return {"DataType": attribute["dataType"], "StringValue": attribute["stringValue"]}


def to_lambda(attribute: Mapping[str, Any]) -> dict[str, Any]:
    """Return an attribute from ReceiveMessage in the format of a Lambda event."""
    converted: dict[str, Any] = {
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": attribute["DataType"],
    }
    if "StringValue" in attribute:
        converted["stringValue"] = attribute["StringValue"]
    if "BinaryValue" in attribute:
        converted["binaryValue"] = base64.b64encode(attribute["BinaryValue"]).decode()
    return converted


def limit(attributes: "Mapping[str, Attribute]", max_bytes: int) -> "dict[str, Attribute]":
    """Return the attributes that fit, in order.

    They are at most ten, and have at most `max_bytes` in all. One that is too large is omitted, and smaller
    ones after it may still fit.
    """
    selected: dict[str, Attribute] = {}
    for name, attribute in attributes.items():
        size = attribute_size(name, attribute)
        if size <= max_bytes and len(selected) < sqs.MAX_ATTRIBUTES:
            selected[name] = attribute
            max_bytes -= size
    return selected


def attribute_size(name: str, attribute: "Attribute") -> int:
    """Return the size of an attribute: the bytes of name, type and value."""
    binary = attribute.get("BinaryValue", b"")
    text = name + attribute["DataType"] + attribute.get("StringValue", "")
    return len(text.encode()) + (len(binary) if isinstance(binary, bytes) else 0)
