"""The cost of a page in a small and in a large table. The ratio should be near 1.

Both tables are read alternately in one run, because the machine's speed varies.
"""

import statistics
import time
from collections.abc import Callable

from bench.engine import fill, run_engine, select_table
from logs.filters import LogFilter
from logs.models import LogItem
from logs.plan import END, Position, make_plan
from logs.reader import Page, read_page

SMALL, LARGE = 2_000, 200_000
ROUNDS = 60
LIMIT = 50


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


def main() -> None:
    """Fill both tables and compare their pages."""
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
