"""What the writer costs beside bare conditional puts, and what its threads gain where a put takes 50 ms."""

import logging
import os
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config

from bench.engine import running, use
from ingest import handler, messages
from ingest.writing import batch
from ingest.writing import items as writer
from logs.models import LogItem
from logs.storage import tables
from tests.factories import make_body, make_event, make_record
from tests.proxy import proxied

BATCH = 500
ROUNDS = 8
SLOW_BATCH = 96
DELAY_SECONDS = 0.05


class Context:
    """A Lambda context with all the time in the world."""

    aws_request_id = "bench"
    function_name = "writer"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:writer"

    def get_remaining_time_in_millis(self) -> int:
        """Return an hour."""
        return 3_600_000


def records(number: int) -> list[dict[str, Any]]:
    """Return messages of some 500 bytes."""
    return [make_record(make_body(payload={"text": "x" * 200, "number": n})) for n in range(number)]


def through_the_handler(taken: list[dict[str, Any]]) -> None:
    """Store a batch as Lambda does."""
    if handler.lambda_handler(make_event(*taken), Context())["batchItemFailures"]:
        raise RuntimeError("some logs were not stored")


def bare(client: Any, pool: ThreadPoolExecutor, taken: list[dict[str, Any]]) -> None:
    """Put the same items, ready made, with boto3 alone."""
    list(pool.map(lambda item: put(client, item), taken))


def put(client: Any, item: dict[str, Any]) -> None:
    """Put one item under the condition that it is new."""
    client.put_item(
        TableName=LogItem.Meta.table_name,
        Item=item,
        ConditionExpression="attribute_not_exists(id)",
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )


def items(taken: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what the writer would put."""
    made = []
    for record in taken:
        item = writer.to_item(messages.parse(record["body"]), messages.envelope(record))
        made.append(item.serialize() | {"id": {"S": uuid.uuid4().hex}})
    return made


def timed(call: Callable[..., None], *arguments: Any) -> float:
    """Return the seconds that a call takes."""
    began = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - began


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Let the writer have so many threads meanwhile."""
    pool = batch._POOL
    with ThreadPoolExecutor(number) as batch._POOL:
        yield
    batch._POOL = pool


def main() -> None:
    """Compare in turn, in one run."""
    os.environ["POWERTOOLS_METRICS_DISABLED"] = "true"
    handler.logger.setLevel(logging.CRITICAL)
    with running(), ThreadPoolExecutor(batch.THREADS) as pool:
        use("writing")
        tables.ensure(LogItem)
        client = boto3.client("dynamodb", config=Config(max_pool_connections=batch.THREADS))
        ours, theirs = [], []
        for _ in range(ROUNDS):
            taken = records(BATCH)
            ready = items(taken)
            ours.append(timed(through_the_handler, taken))
            theirs.append(timed(bare, client, pool, ready))
        rates = [BATCH / statistics.median(seconds) for seconds in (ours, theirs)]
        print(f"\nLogs a second, {batch.THREADS} threads, batches of {BATCH}, medians of {ROUNDS}")
        print(
            f"lambda_handler {rates[0]:8.0f}   bare boto3 {rates[1]:8.0f}   ratio {rates[0] / rates[1]:5.2f}"
        )
        with proxied(lambda operation: time.sleep(DELAY_SECONDS) if operation == "PutItem" else None):
            taken = records(SLOW_BATCH)
            many = timed(through_the_handler, taken)
            with threads(1):
                taken = records(SLOW_BATCH)
                one = timed(through_the_handler, taken)
        print(f"\nA batch of {SLOW_BATCH}, {DELAY_SECONDS:g} s a put")
        print(f"{batch.THREADS} threads {many:8.2f} s   1 thread {one:8.2f} s   ratio {one / many:5.1f}")
