"""INSERT statements of PartiQL, and their fast encoding."""

import base64
import json
from functools import lru_cache
from typing import Any

OPERATION = "BatchExecuteStatement"
# Where a call's statements are while botocore works on the call.
_STATEMENTS = "logsite_statements"


def insert(table: str, item: dict[str, Any]) -> dict[str, Any]:
    """Return the statement that inserts an item in DynamoDB's JSON unless its key exists.

    Each value is a parameter. The table and the names of attributes are Logsite's own.
    """
    return {"Statement": _insert(table, tuple(item)), "Parameters": list(item.values())}


@lru_cache(maxsize=256)
def _insert(table: str, names: tuple[str, ...]) -> str:
    values = ", ".join(f"'{name}': ?" for name in names)
    return f'INSERT INTO "{table}" VALUE {{{values}}}'


def encode(client: Any) -> None:
    """Let a client encode the statements of a call by one `json.dumps`.

    botocore compares each value with its model of the API, which takes four times as long. The statements
    are in DynamoDB's JSON already.
    """
    # After the handlers of all operations, which see the statements: botocore calls those of one operation
    # before them.
    client.meta.events.register_last("before-parameter-build.dynamodb", _set_aside)
    client.meta.events.register(f"before-call.dynamodb.{OPERATION}", _add)


def _set_aside(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
    if model.name == OPERATION:
        context[_STATEMENTS] = params["Statements"]
        params["Statements"] = []


def _add(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    body = json.loads(params["body"])
    body["Statements"] = context[_STATEMENTS]
    params["body"] = json.dumps(body, default=_encode_bytes).encode()


def _encode_bytes(value: bytes) -> str:
    return base64.b64encode(value).decode()
