"""Tables of DynamoDB filled with the logs of the corpus."""

import multiprocessing
import os
from collections.abc import Callable
from functools import partial
from operator import itemgetter
from typing import Any

from tqdm import tqdm

from bench import corpus
from bench.corpus import Shape
from bench.log_costs import make_item
from logs.models import LogItem, SortingIndex
from logs.storage import dynamodb, tables
from logs.storage.digest_items import DigestItem

LOGS_PER_TASK = 1_000


def create_sorting_table() -> None:
    """Create the table of logs with SortingIndex only, which searches by digests read.

    The other indexes would take most of the time to fill it.
    """
    declared = LogItem._get_schema()
    [index] = [
        each
        for each in declared["global_secondary_indexes"]
        if each["index_name"] == SortingIndex.Meta.index_name
    ]
    keys = {each["AttributeName"] for each in [*declared["key_schema"], *index["key_schema"]]}
    client: Any = dynamodb.shared_connection().client  # botocore makes its methods at run time
    client.create_table(
        TableName=LogItem.Meta.table_name,
        KeySchema=declared["key_schema"],
        AttributeDefinitions=[
            each for each in declared["attribute_definitions"] if each["AttributeName"] in keys
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": index["index_name"],
                # The partition key first.
                "KeySchema": sorted(index["key_schema"], key=itemgetter("KeyType")),
                "Projection": index["projection"],
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )


def write(shape: Shape, numbers: range) -> int:
    """Write logs as the writer does, in this process. Return their number."""
    with LogItem.batch_write() as batch:
        for log in corpus.make_logs(shape, numbers):
            batch.save(make_item(log))
    return len(numbers)


def create_table() -> None:
    """Create the table of logs with all its indexes."""
    tables.ensure(LogItem)


def fill(shape: Shape, create: Callable[[], None] = create_table) -> None:
    """Fill the table of logs, in several processes."""
    create()
    tables.ensure(DigestItem)
    tasks = [
        range(start, min(start + LOGS_PER_TASK, shape.logs)) for start in range(0, shape.logs, LOGS_PER_TASK)
    ]
    # A forked process would share the connections of this one.
    with (
        multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool,
        tqdm(total=shape.logs, desc="logs", unit="log") as bar,
    ):
        for written in pool.imap_unordered(partial(write, shape), tasks):
            bar.update(written)
