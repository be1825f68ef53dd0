"""Pages of Logsite and of Django's stock admin over MariaDB."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench import corpus, mariadb, site
from bench.engine import run_engine
from bench.stock_admin import ROWS_PER_PAGE, StockAdmin, run_stock_admin
from bench.tables import fill

DEFAULT_LOGS = 100_000
ROUNDS = 15


@dataclass(frozen=True)
class Question:
    """The same filter as a query string of both admins."""

    name: str
    stock: str
    logsite: str


QUESTIONS = [
    Question("first page", "", ""),
    Question("one account", "account_id=7", "account_id=7"),
    Question("one type", "type=login", "type=login"),
    Question("one account and one type", "account_id=7&type=login", "account_id=7&type=login"),
]


def main(logs: int | None) -> None:
    """Fill both tables and compare the pages. Print why if there is no server."""
    shape = corpus.make_shape("usual", logs or DEFAULT_LOGS)
    with run_engine(), mariadb.run_server() as server:
        if server is None:
            return
        fill(shape, server)
        page = site.listing_page(ROWS_PER_PAGE)
        with run_stock_admin(server.options) as stock:
            timings = _measure(stock, page)
            print(
                f"\nPages of {ROWS_PER_PAGE} of {shape.logs:,} logs, medians of {ROUNDS}\n"
                "| page | stock admin | Logsite | ratio |\n|:---|---:|---:|---:|"
            )
            for question, (theirs, ours) in timings.items():
                stock_median, median = statistics.median(theirs), statistics.median(ours)
                print(
                    f"| {question.name} | {stock_median * 1000:.1f} ms | {median * 1000:.1f} ms "
                    f"| {stock_median / median:.1f} |"
                )


def _measure(
    stock: StockAdmin, page: Callable[[str], object]
) -> dict[Question, tuple[list[float], list[float]]]:
    """Return the seconds of each round, of the stock admin and of Logsite.

    Each round has all questions of both, because the speed of the machine varies, and MariaDB still writes
    to the disk for a while after many rows.
    """
    timings: dict[Question, tuple[list[float], list[float]]] = {each: ([], []) for each in QUESTIONS}
    for _ in range(ROUNDS):
        for question, (theirs, ours) in timings.items():
            timing = stock.time(question.stock)
            if timing.rows != ROWS_PER_PAGE:
                raise SystemExit(f"{question.name}: {timing.rows} rows; take --logs {DEFAULT_LOGS} or more")
            theirs.append(timing.seconds)
            start = time.perf_counter()
            page(question.logsite)
            ours.append(time.perf_counter() - start)
    return timings
