"""What a page costs in a small table and in a large one: the ratio should be near 1.

Both are read in one run, in turn, so that the machine's mood falls on both alike.
"""

import os
import statistics
import subprocess
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tqdm import tqdm

SMALL, LARGE = 2_000, 200_000
ROUNDS = 60
LIMIT = 50
START = datetime(2026, 1, 1, tzinfo=UTC)

os.environ.update(
    AWS_ACCESS_KEY_ID="bench",
    AWS_SECRET_ACCESS_KEY="bench",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_CONFIG_FILE=os.devnull,
)

from logs import tables  # noqa: E402  the environment above comes first
from logs.models import STATUS, LogItem, account_type_key  # noqa: E402
from logs.plan import END, LogFilter, Position, make_plan  # noqa: E402
from logs.reader import Page, read_page  # noqa: E402
from logsite.local import engine  # noqa: E402
from logsite.local.processes import accepts_connections, free_port  # noqa: E402


def use(table: str) -> None:
    """Let the model read and write this table."""
    LogItem.Meta.table_name = table


def fill(table: str, number: int) -> None:
    """Make the table and write that many logs of 20 accounts and 10 types, a second apart."""
    use(table)
    tables.ensure(LogItem)
    with LogItem.batch_write() as batch:
        for place in tqdm(range(number), desc=table, unit="log"):
            account, type_, moment = str(place % 20), f"type{place % 10}", START + timedelta(seconds=place)
            batch.save(
                LogItem(
                    uuid.uuid4().hex,
                    account_id=account,
                    user_id="12",
                    type=type_,
                    sub_type="password",
                    url=f"/things/{place}",
                    created_at=moment,
                    received_at=moment,
                    status=STATUS,
                    account_type=account_type_key(account, type_),
                    submitter_city="Sofia",
                    submitter_country="Bulgaria",
                )
            )


def middle(asked: LogFilter) -> Position | None:
    """Return a position some pages in."""
    position = None
    for _ in range(3):
        position = read_page(make_plan(asked), position, LIMIT).next or position
    return position


def measure(name: str, asked: LogFilter, find: Callable[[LogFilter], Position | None]) -> None:
    """Print the median times of one kind of page in both tables, and their ratio."""
    plan = make_plan(asked)
    seconds: dict[str, list[float]] = {"small": [], "large": []}
    positions = {}
    for table in seconds:
        use(table)
        positions[table] = find(asked)
    page: Page
    for _ in range(ROUNDS):
        for table, times in seconds.items():
            use(table)
            LogItem.exists()  # the connection is made anew for another table: not what is measured
            began = time.perf_counter()
            page = read_page(plan, positions[table], LIMIT)
            times.append(time.perf_counter() - began)
    small, large = (statistics.median(times) * 1000 for times in seconds.values())
    print(
        f"{name:<28}{small:8.2f} ms {large:8.2f} ms   ratio {large / small:5.2f}"
        f"   {page.cost.queries} query, {page.cost.examined} items, {page.cost.read_units} read units"
    )


def main() -> None:
    """Fill two tables on an engine in memory, and compare."""
    port = free_port()
    process = subprocess.Popen(engine.command(port), stdout=subprocess.DEVNULL)
    os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = f"http://127.0.0.1:{port}"
    try:
        while not accepts_connections(port):
            time.sleep(0.05)
        fill("small", SMALL)
        fill("large", LARGE)
        print(f"\nA page of {LIMIT} rows, medians of {ROUNDS}: {SMALL:,} logs against {LARGE:,}")
        measure("newest, no filter", LogFilter(), lambda asked: None)
        measure("fourth page", LogFilter(), middle)
        measure("last page", LogFilter(), lambda asked: END)
        measure("one account and type", LogFilter(account_id=("7",), type=("type7",)), lambda asked: None)
    finally:
        process.terminate()
        process.wait()
