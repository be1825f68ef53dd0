"""The writer against plain conditional puts with boto3, and the gain of its threads."""

import os
import statistics
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from pynamodb.models import Model

from bench.engine import run_engine, select_table
from ingest import handler, messages
from ingest.writing import batch, items
from logs.models import LogItem, LogsTableMeta
from logs.storage import dynamodb, tables
from logs.storage.digest_items import DigestItem
from tests.factories import make_body, make_event, make_record
from tests.lambda_context import LambdaContext

BATCHES = (10, 100, 1_000)
ROUNDS = 12
SLOW_BATCH = 400
DELAY_SECONDS = 0.2


def records(number: int, age: timedelta = timedelta()) -> list[dict[str, Any]]:
    """Return SQS records with bodies of about 500 bytes, sent `age` ago."""
    sent_at = datetime.now(UTC) - age
    return [
        make_record(make_body(payload={"text": "x" * 200, "number": n}), sent_at=sent_at)
        for n in range(number)
    ]


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


def cpu_seconds(call: Callable[..., None], *arguments: Any) -> float:
    """Return the CPU seconds of a call, in all threads of this process."""
    start = time.process_time()
    call(*arguments)
    return time.process_time() - start


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


@contextmanager
def discarded_output() -> Iterator[None]:
    """Let the writer produce its log lines and metrics, and discard them."""
    log_lines: Any = handler.logger.registered_handler  # a StreamHandler
    with Path(os.devnull).open("w") as discarded, redirect_stdout(discarded):
        stream = log_lines.setStream(discarded)
        yield
        log_lines.setStream(stream)


def compare_cpu() -> None:
    """Print the CPU time of a log for the writer and for boto3.

    Both write alternately, because the machine's speed varies.
    """
    client = boto3.client("dynamodb", config=Config(max_pool_connections=batch.THREADS))
    print(f"\nCPU time of a log in microseconds, medians of {ROUNDS}, and boto3's relative to the writer's")
    print(f"batches   plain boto3, {batch.THREADS} threads   lambda_handler   of late logs")
    with ThreadPoolExecutor(batch.THREADS) as pool:
        for size in BATCHES:
            seconds: dict[str, list[float]] = {"boto3": [], "handler": [], "late": []}
            for _ in range(ROUNDS):
                new, late = records(size), records(size, timedelta(hours=1))
                raw_items = serialize(new)
                seconds["boto3"].append(cpu_seconds(write_with_boto3, client, pool, raw_items))
                with discarded_output():
                    seconds["handler"].append(cpu_seconds(write_with_handler, new))
                    seconds["late"].append(cpu_seconds(write_with_handler, late))
            plain, new_cpu, late_cpu = (statistics.median(each) / size * 1e6 for each in seconds.values())
            print(
                f"{size:7,} {plain:25.0f} {new_cpu:9.0f} {plain / new_cpu:6.2f} "
                f"{late_cpu:7.0f} {plain / late_cpu:6.2f}"
            )


def compare_threads() -> None:
    """Print the gain of the writer's threads.

    DynamoDB is replaced by a delay of DELAY_SECONDS for each request of 25 logs.
    """

    def insert(model: type[Model], items: Sequence[dict[str, Any]]) -> list[dict[str, str] | None]:
        time.sleep(DELAY_SECONDS)
        return [None] * len(items)

    original, dynamodb.insert = dynamodb.insert, insert
    with discarded_output():
        many = duration(write_with_handler, records(SLOW_BATCH))
        with threads(1):
            one = duration(write_with_handler, records(SLOW_BATCH))
    dynamodb.insert = original
    print(f"\nA batch of {SLOW_BATCH}, {DELAY_SECONDS:g} s per request of 25 logs")
    print(f"{batch.THREADS} threads {many:8.2f} s   1 thread {one:8.2f} s   ratio {one / many:5.1f}")


def main() -> None:
    """Print the CPU time of the writer and boto3, and the gain of threads.

    The writer has its log lines, its metrics and its checks of duplicates.
    """
    with run_engine():
        select_table(LogsTableMeta.table_name)
        for model in (LogItem, DigestItem):
            tables.ensure(model)
        compare_cpu()
        compare_threads()
