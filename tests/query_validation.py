"""Reject queries that AWS and DynamoDB Local reject but the embedded engine accepts."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pynamodb.connection.base import Connection

BETWEEN = re.compile(r"(#\w+) BETWEEN (:\w+) AND (:\w+)")
COMPARED = re.compile(r"(#\w+) (=|<=|>=) (:\w+)")


def check(query: dict[str, Any]) -> None:
    """Raise AssertionError if DynamoDB would reject the range or the start key.

    A range must not end before it begins. A start key must be in the partition and in the range. DynamoDB's
    messages are "The BETWEEN operator requires upper bound to be greater than or equal to lower bound" and
    "The provided starting key is outside query boundaries based on provided conditions".
    """
    names, values = query["ExpressionAttributeNames"], query["ExpressionAttributeValues"]
    condition = query["KeyConditionExpression"]
    ranges = [
        (names[name], values[low]["S"], values[high]["S"]) for name, low, high in BETWEEN.findall(condition)
    ]
    keys = {}
    for name, sign, value in COMPARED.findall(condition):
        text = values[value]["S"]
        if sign == "=":
            keys[names[name]] = text
        else:
            ranges.append((names[name], text if sign == ">=" else "", text if sign == "<=" else "\uffff"))
    assert len(keys) == 1, f"a query needs one partition key, not {keys}"
    assert all(low <= high for _, low, high in ranges), f"a range that ends before it begins: {ranges}"
    if not (start := query.get("ExclusiveStartKey")):
        return
    start_key = {name: value["S"] for name, value in start.items()}
    others = {"id", "created_at"} if "IndexName" in query else {"sort"}
    assert set(start_key) == {*others, *keys}, f"the start key has other attributes: {start_key}"
    assert keys.items() <= start_key.items(), f"the start key {start_key} is not in the partition {keys}"
    for name, low, high in ranges:
        assert low <= start_key[name] <= high, f"the start key {start_key} is outside {low} to {high}"


@contextmanager
def strict_queries() -> Iterator[None]:
    """Check every Query that any thread sends inside the block."""
    send = Connection._make_api_call

    def check_and_send(
        self: Connection, operation_name: str, operation_kwargs: dict[str, Any]
    ) -> dict[str, Any]:
        if operation_name == "Query":
            check(operation_kwargs)
        return send(self, operation_name, operation_kwargs)

    Connection._make_api_call = check_and_send  # type: ignore[method-assign]  # restored below
    try:
        yield
    finally:
        Connection._make_api_call = send  # type: ignore[method-assign]
