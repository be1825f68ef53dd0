"""The cost of a page: in two tables, and against its bare query.

Two are compared in one run, alternately, because the machine's speed varies.
"""

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import boto3

from bench import site
from bench.engine import fill, run_engine, select_table
from bench.log_costs import SENT_AT, make_item
from logs.filters import LogFilter
from logs.models import LogItem
from logs.plan import END, Position, make_plan
from logs.reader import Page, read_page
from logsite.local.samples import samples

SMALL, LARGE = 2_000, 200_000
ROUNDS = 60
LIMIT = 50
# The page that is compared with its bare query.
SAMPLES = 1_000
ROWS = 100

Times = tuple[list[float], list[float]]


def fourth_page(log_filter: LogFilter) -> Position | None:
    """Return the position of the fourth page."""
    position = None
    for _ in range(3):
        position = read_page(make_plan(log_filter), position, LIMIT).next or position
    return position


def measure(name: str, log_filter: LogFilter, locate: Callable[[LogFilter], Position | None]) -> None:
    """Print the median times of a page in both tables, their ratio and cost.

    `locate` returns the position of the page.
    """
    plan = make_plan(log_filter)
    seconds: dict[str, list[float]] = {"small": [], "large": []}
    positions = {}
    for table in seconds:
        select_table(table)
        positions[table] = locate(log_filter)
    page: Page
    for _ in range(ROUNDS):
        for table, times in seconds.items():
            select_table(table)
            LogItem.exists()  # reconnects to the other table, before the measurement
            start = time.perf_counter()
            page = read_page(plan, positions[table], LIMIT)
            times.append(time.perf_counter() - start)
    small, large = (statistics.median(times) * 1000 for times in seconds.values())
    print(
        f"{name:<28}{small:8.2f} ms {large:8.2f} ms   ratio {large / small:5.2f}"
        f"   {page.cost.queries} query, {page.cost.examined} items, {page.cost.read_units} read units"
    )


def bare_query(client: Any) -> None:
    """Query the rows of the page with the parser of botocore."""
    response = client.query(
        TableName=LogItem.Meta.table_name,
        IndexName=LogItem.sorting_index.Meta.index_name,
        KeyConditionExpression="#status = :ok",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":ok": {"S": "OK"}},
        ScanIndexForward=False,
        Limit=ROWS + 1,
    )
    if len(response["Items"]) != ROWS + 1:
        raise SystemExit(f"the query has {len(response['Items'])} items, not {ROWS + 1}")


def timed(call: Callable[[], object], times: Times) -> None:
    """Add the CPU time and the time of a call."""
    cpu, wall = time.process_time(), time.perf_counter()
    call()
    times[1].append(time.perf_counter() - wall)
    times[0].append(time.process_time() - cpu)


def measure_whole_page() -> None:
    """Print the median times of a whole page and its bare query."""
    select_table("samples")
    user = site.sign_in(ROWS)
    with LogItem.batch_write() as batch:
        for number, log in enumerate(samples(SAMPLES, SENT_AT)):
            batch.save(make_item(log, number))
    client = boto3.client("dynamodb", endpoint_url=os.environ["AWS_ENDPOINT_URL_DYNAMODB"])
    query_times: Times = ([], [])
    page_times: Times = ([], [])
    page = user.send(site.LISTING)
    if len(page.ids()) != ROWS:
        raise SystemExit(f"the page has {len(page.ids())} rows, not {ROWS}")
    bare_query(client)
    for _ in range(ROUNDS):
        timed(lambda: bare_query(client), query_times)
        timed(lambda: user.send(site.LISTING), page_times)
    print(
        f"\nA whole page of {ROWS} sample logs ({len(page.content):,} bytes) against its bare query, "
        f"medians of {ROUNDS}"
    )
    for name, queries, pages in zip(("CPU", "time"), query_times, page_times, strict=True):
        query, whole = statistics.median(queries) * 1000, statistics.median(pages) * 1000
        print(f"{name:<28}{query:8.2f} ms {whole:8.2f} ms   ratio {whole / query:5.2f}")


def main() -> None:
    """Compare the pages of two tables, and a whole page with its bare query."""
    with run_engine():
        fill("small", SMALL)
        fill("large", LARGE)
        print(f"\nA page of {LIMIT} rows, medians of {ROUNDS}: {SMALL:,} logs against {LARGE:,}")
        measure("newest, no filter", LogFilter(), lambda log_filter: None)
        measure("fourth page", LogFilter(), fourth_page)
        measure("last page", LogFilter(), lambda log_filter: END)
        measure(
            "one account and type", LogFilter(account_id=("7",), type=("type7",)), lambda log_filter: None
        )
        measure_whole_page()
