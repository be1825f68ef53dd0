"""IAM's decision about requests to DynamoDB, for the conditions that our policies use."""

import re
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from logs.storage.dynamodb import shared_connection

if TYPE_CHECKING:
    from collections.abc import Iterator

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
OPERATORS = {
    "ForAllValues:StringEquals": lambda value, pattern: value == pattern,
    "ForAllValues:StringLike": fnmatchcase,
}
HASH_KEYS = {
    "logs": "id",
    "users": "username",
    "sessions": "session_key",
    "tokens": "name",
    "digests": "partition",
    "views": "owner",
    "exports": "owner",
}


@dataclass(frozen=True)
class Request:
    """A request as IAM sees it. `table` is the last part of a table's name."""

    action: str
    table: str
    keys: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    index: str | None = None


def as_list(value: Any) -> list[Any]:
    """Return a policy element as a list. IAM accepts a single text too."""
    return value if isinstance(value, list) else [value]


def allows(statements: Iterable[dict[str, Any]], request: Request) -> bool:
    """Return whether one of the Allow statements allows the request."""
    resource = f"logsite-dev-{request.table}" + (f"/index/{request.index}" if request.index else "")
    return any(
        request.action in as_list(statement["Action"])
        and any(fnmatchcase(resource, arn.split("/", 1)[-1]) for arn in as_list(statement["Resource"]))
        and all(
            _is_met(operator, values, request) for operator, values in statement.get("Condition", {}).items()
        )
        for statement in statements
    )


def _is_met(operator: str, values: dict[str, list[str]], request: Request) -> bool:
    context = {"dynamodb:LeadingKeys": request.keys, "dynamodb:Attributes": request.attributes}
    matches = OPERATORS[operator]
    return all(
        any(matches(value, pattern) for pattern in patterns)
        for key, patterns in values.items()
        for value in context[key]
    )


def _actions(operation: str, params: dict[str, Any]) -> "Iterator[tuple[str, str, list[dict[str, Any]]]]":
    """Yield the actions of one call: each with the name of its table and with its items, keys and names."""
    if operation == "TransactWriteItems":
        for item in params["TransactItems"]:
            [(kind, body)] = item.items()
            yield f"{kind.removesuffix('Item')}Item", body["TableName"], [body]
    elif operation == "BatchWriteItem":
        for name, writes in params["RequestItems"].items():
            yield operation, name, [body for write in writes for body in write.values()]
    elif operation == "BatchGetItem":
        for name, body in params["RequestItems"].items():
            yield operation, name, [body]
    else:
        yield operation, params["TableName"], [params]


@contextmanager
def recorded_requests(tables: dict[str, str]) -> "Iterator[list[Request]]":
    """Collect the requests to DynamoDB inside the block. `tables` are names in HASH_KEYS by table name."""
    requests: list[Request] = []

    def record(params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name == "BatchExecuteStatement":
            record_statements(params["Statements"])
            return
        for action, name, bodies in _actions(model.name, params):
            table = tables[name]
            items = [body[each] for body in bodies for each in ("Item", "Key") if each in body]
            items += [key for body in bodies for key in body.get("Keys", [])]
            names = {name for body in bodies for name in body.get("ExpressionAttributeNames", {}).values()}
            requests.append(
                Request(
                    f"dynamodb:{action}",
                    table,
                    frozenset(item[HASH_KEYS[table]]["S"] for item in items),
                    frozenset(names.union(*items)),
                    params.get("IndexName"),
                )
            )

    def record_statements(statements: list[dict[str, Any]]) -> None:
        for statement in statements:
            verb, name = re.match(r'(\w+) INTO "([^"]+)"', statement["Statement"]).groups()  # type: ignore[union-attr]
            requests.append(Request(f"dynamodb:PartiQL{verb.capitalize()}", tables[name]))

    events = shared_connection().client.meta.events
    events.register("before-parameter-build.dynamodb", record)
    try:
        yield requests
    finally:
        events.unregister("before-parameter-build.dynamodb", record)
