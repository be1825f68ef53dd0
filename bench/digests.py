"""Searches by digests among many logs, and the cost of building them."""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass

from tqdm import tqdm

from bench import corpus
from bench.corpus import Shape
from bench.digest_costs import per_log
from bench.engine import run_engine
from bench.meter import metered
from bench.tables import create_sorting_table, fill
from logs.digests import builder
from logs.digests.builder import Progress
from logs.filters import LogFilter
from logs.pages.monthly_cost import READING
from logs.plan import PageQuery, make_plan
from logs.reader import read
from logs.reading.budget import Budget, Cost
from logs.storage.digest_items import DigestItem
from logs.storage.item_size import attributes_size

DEFAULT_LOGS = 20_000
# The partition of the digests of one segment, and the kinds of its items by the first letter of the sort key.
DIGESTS_OF_A_DAY = re.compile("-[0-9]{2}#")
KINDS = {"b": "blocks", "s": "signatures", "c": "counts"}
SHAPES = ("usual", "heavy", "hour", "sparse")
LIMIT = 100
ROUNDS = 3


SEARCHES = {
    "a rare text": LogFilter(q=corpus.RARE),
    "a frequent text": LogFilter(q=corpus.FREQUENT),
    "a Cyrillic text in capitals": LogFilter(q=corpus.CYRILLIC.upper()),
    "a part of a user name": LogFilter(user_name=corpus.PART_OF_NAME),
    "one IP address": LogFilter(submitter_ip=(corpus.RARE_ADDRESS,)),
}


def build(shape: Shape) -> None:
    """Build all digests; print what it cost."""
    start, cpu = time.perf_counter(), time.process_time()
    with tqdm(total=shape.logs, desc="digests", unit="log") as bar, metered() as meter:

        def show(progress: Progress) -> None:
            bar.update(progress.logs)

        result = builder.build(report=show)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    if result.logs != shape.logs:
        raise RuntimeError(f"digests have {result.logs} of {shape.logs} logs")
    print(
        f"\nBuilt {result.segments:,} segments of {result.logs:,} logs in {seconds:.0f} s, "
        f"{cpu / result.logs * 1000:.3f} ms of CPU for one log\n"
        "\n| for one log | requests | read units | write units | dollars per million | bytes |\n"
        f"|:---{'|---:' * 5}|\n"
        f"| {shape.logs:,} logs of the benchmark | {' | '.join(per_log(meter, shape.logs).cells())} |"
    )


def print_storage() -> None:
    """Print the items and bytes of the digests by kind."""
    sizes: dict[str, list[int]] = {}
    for item in DigestItem.scan():
        is_part = DIGESTS_OF_A_DAY.search(item.partition)
        kind = KINDS[item.sort[0]] if is_part else "directory"
        sizes.setdefault(kind, []).append(attributes_size(item.serialize()))
    rows = {**sizes, "together": [size for each in sizes.values() for size in each]}
    print("\n| digests | items | bytes |\n|:---|---:|---:|")
    for kind, each in rows.items():
        print(f"| {kind} | {len(each):,} | {sum(each):,} |")


@dataclass(frozen=True)
class Measurement:
    """The rows, pages, times and cost of a search. `cpu` is in seconds."""

    rows: int
    pages: int
    seconds: float
    cpu: float
    cost: Cost


def measure(log_filter: LogFilter) -> Measurement:
    """Search until there are LIMIT rows, or to the end."""
    start, cpu = time.perf_counter(), time.process_time()
    query = PageQuery(make_plan(log_filter), None, LIMIT)
    rows, pages, cost = 0, 0, Cost()
    while True:
        result = read(query, Budget())
        rows, pages = rows + len(result.page.items), pages + 1
        cost += result.page.cost
        if result.page.next is None or rows >= LIMIT:
            seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
            return Measurement(rows, pages, seconds, cpu, cost)
        query = result.query.at(result.page.next)


def search(names: Iterable[str]) -> None:
    """Print the costs and times of searches. Times are the shortest of ROUNDS."""
    print(
        f"\nSearches for {LIMIT} rows, newest first, the shortest of {ROUNDS}\n"
        "| search | rows | pages | requests | read units | dollars | time | CPU |\n"
        f"|:---{'|---:' * 7}|"
    )
    for name in names:
        measured = [measure(SEARCHES[name]) for _ in range(ROUNDS)]
        first, cost = measured[0], measured[0].cost
        dollars = cost.read_units * READING.price / 1_000_000
        seconds, cpu = min(each.seconds for each in measured), min(each.cpu for each in measured)
        cells = [
            *(name, first.rows, first.pages, cost.queries, f"{cost.read_units:,.0f}", f"{dollars:.6f}"),
            *(f"{seconds:.3f} s", f"{cpu:.3f} s"),
        ]
        print(f"| {' | '.join(map(str, cells))} |")


def main(logs: int | None, shape_name: str = "usual") -> None:
    """Fill the tables, build the digests and search."""
    shape = corpus.make_shape(shape_name, logs or DEFAULT_LOGS)
    with run_engine():
        fill(shape, create_sorting_table)
        build(shape)
        print_storage()
        search(SEARCHES if shape_name == "usual" else ["a rare text"])
