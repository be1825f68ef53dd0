"""The writer against plain conditional puts with boto3, and the gain of its threads."""

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

from bench.engine import run_engine, select_table
from ingest import handler, messages
from ingest.writing import batch, items
from logs.models import LogItem
from logs.storage import tables
from tests.factories import make_body, make_event, make_record
from tests.lambda_context import LambdaContext
from tests.proxy import proxied

BATCH = 500
ROUNDS = 8
SLOW_BATCH = 96
DELAY_SECONDS = 0.05


def records(number: int) -> list[dict[str, Any]]:
    """Return SQS records with bodies of about 500 bytes."""
    return [make_record(make_body(payload={"text": "x" * 200, "number": n})) for n in range(number)]


def write_with_handler(batch_records: list[dict[str, Any]]) -> None:
    """Store a batch as the Lambda function does."""
    if handler.lambda_handler(make_event(*batch_records), LambdaContext())["batchItemFailures"]:
        raise RuntimeError("some logs were not stored")


def write_with_boto3(client: Any, pool: ThreadPoolExecutor, raw_items: list[dict[str, Any]]) -> None:
    """Put items in DynamoDB's JSON with boto3, in parallel."""
    list(pool.map(lambda item: put(client, item), raw_items))


def put(client: Any, item: dict[str, Any]) -> None:
    """Put one item if it does not exist."""
    client.put_item(
        TableName=LogItem.Meta.table_name,
        Item=item,
        ConditionExpression="attribute_not_exists(id)",
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )


def serialize(batch_records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the items of the records in DynamoDB's JSON, with other ids."""
    raw_items = []
    for record in batch_records:
        item = items.to_item(messages.parse(record["body"]), messages.envelope(record))
        raw_items.append(item.serialize() | {"id": {"S": uuid.uuid4().hex}})
    return raw_items


def duration(call: Callable[..., None], *arguments: Any) -> float:
    """Return the duration of a call in seconds."""
    start = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - start


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Let the writer use this number of threads."""
    pool = batch._POOL
    with ThreadPoolExecutor(number) as batch._POOL:
        yield
    batch._POOL = pool


def main() -> None:
    """Print the rates of the writer and of boto3, and the gain of threads.

    Both write alternately, because the machine's speed varies.
    """
    os.environ["POWERTOOLS_METRICS_DISABLED"] = "true"
    handler.logger.setLevel(logging.CRITICAL)
    with run_engine(), ThreadPoolExecutor(batch.THREADS) as pool:
        select_table("writing")
        tables.ensure(LogItem)
        client = boto3.client("dynamodb", config=Config(max_pool_connections=batch.THREADS))
        handler_seconds, boto3_seconds = [], []
        for _ in range(ROUNDS):
            batch_records = records(BATCH)
            raw_items = serialize(batch_records)
            handler_seconds.append(duration(write_with_handler, batch_records))
            boto3_seconds.append(duration(write_with_boto3, client, pool, raw_items))
        rates = [BATCH / statistics.median(seconds) for seconds in (handler_seconds, boto3_seconds)]
        print(f"\nLogs per second, {batch.THREADS} threads, batches of {BATCH}, medians of {ROUNDS}")
        print(
            f"lambda_handler {rates[0]:8.0f}   plain boto3 {rates[1]:8.0f}   ratio {rates[0] / rates[1]:5.2f}"
        )
        with proxied(lambda operation: time.sleep(DELAY_SECONDS) if operation == "PutItem" else None):
            batch_records = records(SLOW_BATCH)
            many = duration(write_with_handler, batch_records)
            with threads(1):
                batch_records = records(SLOW_BATCH)
                one = duration(write_with_handler, batch_records)
        print(f"\nA batch of {SLOW_BATCH}, {DELAY_SECONDS:g} s per put")
        print(f"{batch.THREADS} threads {many:8.2f} s   1 thread {one:8.2f} s   ratio {one / many:5.1f}")
