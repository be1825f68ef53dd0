"""The CPU time of reading an item with botocore's parser and without it."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import boto3
from tqdm import tqdm

from bench.engine import fill, run_engine
from logs.models import LogItem
from logs.storage import dynamodb

TABLE = "parsing"
LOGS = 2_000
BATCH = 100
ROUNDS = 20
# A packed document, which is not projected: only BatchGetItem returns it.
DOCUMENT = bytes(range(256)) * 4


def query(client: Any) -> int:
    """Query the newest logs; return their number."""
    response = client.query(
        TableName=TABLE,
        IndexName=LogItem.sorting_index.Meta.index_name,
        KeyConditionExpression="#status = :ok",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":ok": {"S": "OK"}},
        ReturnConsumedCapacity="TOTAL",
    )
    return len(response["Items"])


def batch_get(client: Any, keys: list[dict[str, Any]]) -> int:
    """Get whole logs; return their number."""
    response = client.batch_get_item(RequestItems={TABLE: {"Keys": keys}}, ReturnConsumedCapacity="TOTAL")
    return len(response["Responses"][TABLE])


def measure(name: str, read: Callable[[Any], int]) -> None:
    """Print the CPU time of one item with both clients, and the ratio."""
    seconds: dict[str, list[float]] = {"botocore": [], "Logsite": []}
    clients = {"botocore": boto3.client("dynamodb"), "Logsite": dynamodb.shared_connection().client}
    for client in clients.values():
        read(client)
    for _ in range(ROUNDS):
        for parser, client in clients.items():
            start = time.process_time()
            items = read(client)
            seconds[parser].append((time.process_time() - start) / items)
    plain, raw = (statistics.median(each) * 1_000_000 for each in seconds.values())
    print(f"{name:<14}{plain:8.1f} µs {raw:8.1f} µs   ratio {raw / plain:5.2f}")


def main() -> None:
    """Fill a table, then read it with both parsers."""
    with run_engine():
        fill(TABLE, LOGS, payload="x")
        logs = list(tqdm(LogItem.scan(), total=LOGS, desc="documents", unit="log"))
        with LogItem.batch_write() as batch:
            for log in logs:
                log.document = DOCUMENT
                batch.save(log)
        keys = [{"id": {"S": log.id}} for log in logs[:BATCH]]
        print(f"\nCPU time per item, botocore against Logsite, medians of {ROUNDS}")
        measure("Query", query)
        measure("BatchGetItem", lambda client: batch_get(client, keys))
