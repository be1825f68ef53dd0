"""The cost of a search that finds 20 logs of one subtype among many."""

import time

from bench.engine import fill, run_engine
from logs.filters import LogFilter
from logs.plan import Position, make_plan
from logs.reader import read_page
from logs.reading.budget import Budget

LIMIT = 50


def main(logs: int) -> None:
    """Search to the end, and print the cost of each page."""
    plan = make_plan(LogFilter(sub_type=("rare",)))
    budget = Budget()
    matches = examined = 0
    position: Position | None = None
    with run_engine():
        fill("search", logs, sub_type="rare")
        print(
            f"\n20 logs among {logs:,}; budget of a page: {budget.examined:,} items or {budget.seconds:g} s"
        )
        start = time.perf_counter()
        while True:
            page = read_page(plan, position, LIMIT, budget)
            cost = page.cost
            matches, examined = matches + len(page.items), examined + cost.examined
            print(
                f"{len(page.items):4} matches, {cost.examined:,} examined in {cost.queries} queries, "
                f"{cost.read_units:g} read units, {cost.seconds:.2f} s"
            )
            if page.next is None:
                break
            position = page.next
        print(f"in total {matches} matches, {examined:,} examined, {time.perf_counter() - start:.2f} s")
