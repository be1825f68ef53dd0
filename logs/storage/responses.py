"""Rejects responses with the status 200 that are not DynamoDB's."""

from typing import Any

from botocore.exceptions import HTTPClientError

# The operations on items, which PynamoDB calls with ReturnConsumedCapacity, and their other required keys.
REQUIRED_KEYS: dict[str, tuple[str, ...]] = {
    "BatchGetItem": ("Responses", "UnprocessedKeys"),
    "BatchWriteItem": (),
    "DeleteItem": (),
    "GetItem": (),
    "PutItem": (),
    # A query that only counts returns no items.
    "Query": ("Count",),
    "Scan": ("Items",),
    "TransactWriteItems": (),
    "UpdateItem": (),
}
# MiniStack returns no ConsumedCapacity for it.
WITHOUT_CAPACITY = {"BatchGetItem"}


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


def _check_body(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    is_success = response_dict["status_code"] < 300
    if is_success and not response_dict["body"].lstrip().startswith(b"{"):
        raise InvalidResponse(operation=operation_model.name)


def _check_keys(http_response: Any, parsed: dict[str, Any], model: Any, **_: Any) -> None:
    required = {"ConsumedCapacity", *REQUIRED_KEYS[model.name]}
    if model.name in WITHOUT_CAPACITY:
        required.remove("ConsumedCapacity")
    if http_response.status_code < 300 and any(parsed.get(key) is None for key in required):
        raise InvalidResponse(operation=model.name)
