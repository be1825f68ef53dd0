"""What a page costs in a small table and in a large one: the ratio should be near 1.

Both are read in one run, in turn, so that the machine's mood falls on both alike.
"""

import statistics
import time
from collections.abc import Callable

from bench.engine import fill, running, use
from logs.filters import LogFilter
from logs.models import LogItem
from logs.plan import END, Position, make_plan
from logs.reader import Page, read_page

SMALL, LARGE = 2_000, 200_000
ROUNDS = 60
LIMIT = 50


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
    """Fill two tables, and compare."""
    with running():
        fill("small", SMALL)
        fill("large", LARGE)
        print(f"\nA page of {LIMIT} rows, medians of {ROUNDS}: {SMALL:,} logs against {LARGE:,}")
        measure("newest, no filter", LogFilter(), lambda asked: None)
        measure("fourth page", LogFilter(), middle)
        measure("last page", LogFilter(), lambda asked: END)
        measure("one account and type", LogFilter(account_id=("7",), type=("type7",)), lambda asked: None)
