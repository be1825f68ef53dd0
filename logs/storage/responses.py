"""Rejects responses with the status 200 that are not DynamoDB's."""

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import HTTPClientError

# PynamoDB calls the operations on items with ReturnConsumedCapacity.
CAPACITY = "ConsumedCapacity"
# The operations on items, and the keys that each response must have.
REQUIRED_KEYS: dict[str, tuple[str, ...]] = {
    # Without CAPACITY if no statement wrote anything.
    "BatchExecuteStatement": ("Responses",),
    # MiniStack omits CAPACITY.
    "BatchGetItem": ("Responses", "UnprocessedKeys"),
    "BatchWriteItem": (CAPACITY,),
    "DeleteItem": (CAPACITY,),
    "GetItem": (CAPACITY,),
    "PutItem": (CAPACITY,),
    "Query": (CAPACITY, "Items"),
    "Scan": (CAPACITY, "Items"),
    "TransactWriteItems": (CAPACITY,),
    "UpdateItem": (CAPACITY,),
}


class InvalidResponse(HTTPClientError):
    """A response is not DynamoDB's, so whether the request was executed is unknown. Retry it."""

    fmt = "the response to {operation} is not DynamoDB's"


def check(client: Any) -> None:
    """Let a client raise InvalidResponse for a response that is not DynamoDB's.

    botocore reads any text with the status 200 as an empty response, and a put would count as written.
    """
    for operation in REQUIRED_KEYS:
        client.meta.events.register(f"before-parse.dynamodb.{operation}", _check_body)
        client.meta.events.register(f"after-call.dynamodb.{operation}", _check_keys)


def check_number(operation: str, responses: Sequence[object], number: int) -> None:
    """Raise InvalidResponse unless there is one response for each of `number` statements."""
    if not isinstance(responses, list) or len(responses) != number:
        raise InvalidResponse(operation=operation)


def _check_body(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    is_success = response_dict["status_code"] < 300
    if is_success and not response_dict["body"].lstrip().startswith(b"{"):
        raise InvalidResponse(operation=operation_model.name)


def _check_keys(http_response: Any, parsed: dict[str, Any], model: Any, **_: Any) -> None:
    required = REQUIRED_KEYS[model.name]
    if http_response.status_code < 300 and any(parsed.get(key) is None for key in required):
        raise InvalidResponse(operation=model.name)
