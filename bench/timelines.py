"""The cost of timelines of users and objects among many logs."""

import statistics
import time
from itertools import islice

from bench.engine import fill, run_engine
from bench.log_costs import SENT_AT, make_item
from logs.filters import LogFilter
from logs.models import LogItem
from logs.plan import make_plan
from logs.reader import read_page
from logsite.local.samples import samples

ROUNDS = 30
LIMIT = 50
FILTERS = {
    "one user": LogFilter(user_id=("ann",)),
    "one object": LogFilter(object=("invoice:4711",)),
}


def write_samples(count: int) -> None:
    """Write sample logs of one user about one object, as the writer does."""
    changes = {"user_id": "ann", "object_type": "invoice", "object_id": 4711}
    with LogItem.batch_write() as batch:
        for log in islice(samples(count * 2, SENT_AT), count):
            batch.save(make_item(log | changes))


def main(logs: int) -> None:
    """Print the cost of the pages among `logs` other logs."""
    with run_engine():
        fill("timelines", logs)
        write_samples(2 * LIMIT)
        print(f"\nA page of {LIMIT} sample logs among {logs:,} others, median of {ROUNDS}")
        for name, log_filter in FILTERS.items():
            plan = make_plan(log_filter)
            seconds = []
            for _ in range(ROUNDS):
                start = time.perf_counter()
                page = read_page(plan, None, LIMIT)
                seconds.append(time.perf_counter() - start)
            cost = page.cost
            print(
                f"{name:<12}{statistics.median(seconds) * 1000:8.2f} ms"
                f"   {cost.queries} query, {cost.examined} items, {cost.read_units} read units"
            )
