"""A search for 20 logs of one user among many, page by page, as "Go on" follows it."""

import time

from bench.engine import fill, running
from logs.filters import LogFilter
from logs.merge import Budget
from logs.plan import Position, make_plan
from logs.reader import read_page

LIMIT = 50


def main(logs: int) -> None:
    """Walk the search to its end; print what each page took of its budget."""
    plan = make_plan(LogFilter(user_id="rare"))
    budget = Budget()
    found = examined = 0
    position: Position | None = None
    with running():
        fill("search", logs, user_id="rare")
        print(f"\n20 logs among {logs:,}; a page takes {budget.examined:,} or {budget.seconds:g} s at most")
        began = time.perf_counter()
        while True:
            page = read_page(plan, position, LIMIT, budget)
            cost = page.cost
            found, examined = found + len(page.items), examined + cost.examined
            print(
                f"{len(page.items):4} found, {cost.examined:,} examined in {cost.queries} queries, "
                f"{cost.read_units:g} read units, {cost.seconds:.2f} s"
            )
            if page.next is None:
                break
            position = page.next
        print(f"in all {found} found, {examined:,} examined, {time.perf_counter() - began:.2f} s")
