"""Parses the responses of the reads by `json.loads`, instead of botocore's parser."""

import binascii
import json
import re
from typing import Any

from logs.storage.responses import InvalidResponse

# The reads of items. All other responses are small, and botocore parses them.
OPERATIONS = ("BatchGetItem", "GetItem", "Query")
CONTENT_TYPE = "application/x-amz-json-1.0"
# The name of a binary value. No text contains it, because its quotes are escaped. To search for the first
# quote too would take four times as long.
BINARY = re.compile(rb'BS?"\s*:')


class UnexpectedContentType(InvalidResponse):
    """A response has another protocol, such as CBOR, or is not DynamoDB's."""

    fmt = "the response to {operation} has the content type {content_type}, not " + CONTENT_TYPE


def parse(client: Any) -> None:
    """Let a client parse the responses to OPERATIONS by `json.loads`.

    The result equals botocore's: binary values are bytes, and a null at the top is omitted. botocore parses
    the error responses. Call it before `responses.check`: another protocol then fails by its name.

    The event `before-parse` lets a handler add to a response since botocore 1.40, which boto3 1.40 requires.
    """
    for operation in OPERATIONS:
        client.meta.events.register(f"before-parse.dynamodb.{operation}", _parse)


def _parse(
    operation_model: Any, response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    if response_dict["status_code"] >= 300:
        return
    content_type = response_dict["headers"].get("content-type") or "none"
    if content_type.partition(";")[0].strip() != CONTENT_TYPE:
        raise UnexpectedContentType(operation=operation_model.name, content_type=content_type)
    body = response_dict["body"]
    # Most responses have no binary value.
    has_binary = BINARY.search(body)
    try:
        response = json.loads(body, object_hook=_decode if has_binary else None)
    except ValueError as error:
        raise InvalidResponse(operation=operation_model.name) from error
    if not isinstance(response, dict):
        raise InvalidResponse(operation=operation_model.name)
    customized_response_dict.update((key, value) for key, value in response.items() if value is not None)
    # botocore parses this instead, and adds its metadata.
    response_dict["body"] = b"{}"


def _decode(value: dict[str, Any]) -> dict[str, Any]:
    """Decode the base64 of a binary value. An attribute with the name `B` has a dict as its value."""
    if isinstance(text := value.get("B"), str):
        value["B"] = binascii.a2b_base64(text, strict_mode=True)
    elif isinstance(texts := value.get("BS"), list):
        value["BS"] = [binascii.a2b_base64(text, strict_mode=True) for text in texts]
    return value
