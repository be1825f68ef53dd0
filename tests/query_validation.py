"""What AWS and DynamoDB Local refuse in a Query and the embedded engine lets pass, refused in every test."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pynamodb.connection.base import Connection

BETWEEN = re.compile(r"(#\w+) BETWEEN (:\w+) AND (:\w+)")
COMPARED = re.compile(r"(#\w+) (=|<=|>=) (:\w+)")


def check(query: dict[str, Any]) -> None:
    """Refuse a range that ends before it begins, and a start key beside the partition or the range.

    Raises AssertionError. DynamoDB's words for it: "The provided starting key is outside query boundaries
    based on provided conditions", and "The BETWEEN operator requires upper bound to be greater than or equal
    to lower bound".
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
    assert len(keys) == 1, f"one partition key is asked for, not {keys}"
    assert all(low <= high for _, low, high in ranges), f"a range that ends before it begins: {ranges}"
    if not (start := query.get("ExclusiveStartKey")):
        return
    started = {name: value["S"] for name, value in start.items()}
    assert set(started) == {"id", "created_at", *keys}, f"a start key of other attributes: {started}"
    assert keys.items() <= started.items(), f"the start key {started} is not of the partition {keys}"
    for name, low, high in ranges:
        assert low <= started[name] <= high, f"the start key {started} is outside {low} to {high}"


@contextmanager
def strict_queries() -> Iterator[None]:
    """Check every Query that is sent meanwhile, from whichever thread."""
    send = Connection._make_api_call

    def checked(self: Connection, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        if operation_name == "Query":
            check(operation_kwargs)
        return send(self, operation_name, operation_kwargs)

    Connection._make_api_call = checked  # type: ignore[method-assign]  # for as long as the tests run
    try:
        yield
    finally:
        Connection._make_api_call = send  # type: ignore[method-assign]
