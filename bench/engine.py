"""An in-memory DynamoDB engine, and tables filled with logs."""

import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from tqdm import tqdm

START = datetime(2026, 1, 1, tzinfo=UTC)

os.environ.update(
    AWS_ACCESS_KEY_ID="bench",
    AWS_SECRET_ACCESS_KEY="bench",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_CONFIG_FILE=os.devnull,
)

from logs.models import STATUS, LogItem, account_type_key, user_key  # noqa: E402  the environment must be set first
from logs.storage import dynamodb, tables  # noqa: E402  as above
from logsite.local import engine  # noqa: E402  as above
from logsite.local.ports import accepts_connections, free_port  # noqa: E402  as above


@contextmanager
def run_engine() -> Iterator[None]:
    """Run an engine until the block ends, as the endpoint of PynamoDB."""
    port = free_port()
    process = subprocess.Popen(engine.command(port), stdout=subprocess.DEVNULL)
    os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = f"http://127.0.0.1:{port}"
    dynamodb.shared_connection.cache_clear()  # a cached client has the old endpoint
    try:
        while not accepts_connections(port):
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()


def select_table(table: str) -> None:
    """Let the model LogItem read and write this table."""
    LogItem.Meta.table_name = table


def fill(table: str, number: int, **rare_values: Any) -> None:
    """Create the table and write `number` logs of 20 accounts and 10 types.

    Their times are one second apart. 20 of them, evenly distributed, have the `rare_values`.
    """
    select_table(table)
    tables.ensure(LogItem)
    with LogItem.batch_write() as batch:
        for index in tqdm(range(number), desc=table, unit="log"):
            account, type_ = str(index % 20), f"type{index % 10}"
            created_at = START + timedelta(seconds=index)
            values: dict[str, Any] = {
                "account_id": account,
                "user_id": "12",
                "type": type_,
                "sub_type": "password",
                "url": f"/things/{index}",
                "submitter_city": "Sofia",
                "submitter_country": "Bulgaria",
            }
            if index % (number // 20) == number // 40:
                values |= rare_values
            batch.save(
                LogItem(
                    uuid.uuid4().hex,
                    created_at=created_at,
                    received_at=created_at,
                    status=STATUS,
                    account_type=account_type_key(account, type_),
                    user_key=user_key(values["user_id"]),
                    **values,
                )
            )
