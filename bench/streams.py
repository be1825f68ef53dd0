"""The cost of merging: a page of several accounts against a page of one.

A proxy delays each request by DELAY_SECONDS, as a slow network would.
"""

import statistics
import time

from bench.engine import fill, run_engine
from logs.filters import LogFilter
from logs.plan import make_plan
from logs.reader import read_page
from tests.proxy import proxied

LOGS = 4_000
DELAY_SECONDS = 0.05
STREAMS = (1, 2, 7, 20)
ROUNDS = 20
LIMIT = 50


def delay(operation: str) -> None:
    """Delay a request."""
    time.sleep(DELAY_SECONDS)


def main() -> None:
    """Read pages of 1, 2, 7 and 20 streams alternately, and compare their times."""
    plans = {
        streams: make_plan(LogFilter(account_id=tuple(str(number) for number in range(streams))))
        for streams in STREAMS
    }
    seconds: dict[int, list[float]] = {streams: [] for streams in STREAMS}
    with run_engine():
        fill("streams", LOGS)
        with proxied(delay):
            for _ in range(ROUNDS):
                for streams, plan in plans.items():
                    start = time.perf_counter()
                    read_page(plan, None, LIMIT)
                    seconds[streams].append(time.perf_counter() - start)
            costs = {streams: read_page(plan, None, LIMIT).cost for streams, plan in plans.items()}
    print(
        f"\nA page of {LIMIT} rows of several streams, {DELAY_SECONDS:g} s per request, medians of {ROUNDS}"
    )
    one = statistics.median(seconds[1])
    for streams, cost in costs.items():
        median = statistics.median(seconds[streams])
        print(
            f"{streams:3} streams {median * 1000:8.1f} ms   ratio {median / one:5.2f}"
            f"   {cost.queries} queries, {cost.examined} items"
        )
