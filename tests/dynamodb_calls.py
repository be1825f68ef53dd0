"""Record the DynamoDB requests that PynamoDB sends."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from pynamodb.signals import pre_dynamodb_send


@contextmanager
def recorded_calls() -> Iterator[list[tuple[str, str | None]]]:
    """Collect operation and table name of each request inside the block.

    The table name of a BatchGetItem is None.
    """
    calls: list[tuple[str, str | None]] = []

    def record(sender: object, operation_name: str, table_name: str | None, **kwargs: object) -> None:
        calls.append((operation_name, table_name))

    with pre_dynamodb_send.connected_to(record):
        yield calls


@contextmanager
def counted_calls() -> Iterator[Counter[str]]:
    """Count the requests inside the block by operation."""
    counts: Counter[str] = Counter()

    def count(sender: object, operation_name: str, **kwargs: object) -> None:
        counts[operation_name] += 1

    with pre_dynamodb_send.connected_to(count):
        yield counts
