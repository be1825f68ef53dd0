"""`make bench`: run the benchmarks one after the other."""

import argparse
from collections.abc import Callable

from bench import client, log_costs, package, pages, parsing, search, sizes, streams, timelines, writing

BENCHMARKS: dict[str, Callable[[argparse.Namespace], None]] = {
    "pages": lambda options: pages.main(),
    "parsing": lambda options: parsing.main(),
    "streams": lambda options: streams.main(),
    "client": lambda options: client.main(),
    "writing": lambda options: writing.main(),
    "sizes": lambda options: sizes.main(),
    "costs": lambda options: log_costs.main(),
    "search": lambda options: search.main(options.logs),
    "timelines": lambda options: timelines.main(options.logs),
    "package": lambda options: package.main(),
}
# `bench.engine.fill` spreads the 20 logs that the search looks for over at least this many.
MIN_LOGS = 40


def main() -> None:
    """Run the benchmarks in the arguments, or all."""
    names = ", ".join(BENCHMARKS)
    parser = argparse.ArgumentParser(
        prog="make bench",
        description='Measure the figures in docs/performance.md. Pass names and options in ARGS="…".',
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {names}; default: all")
    parser.add_argument(
        "--logs", type=int, default=100_000, metavar="N", help="number of other logs; default: 100000"
    )
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"NAME must be one of {names}, not {', '.join(sorted(unknown))}")
    if options.logs < MIN_LOGS:
        parser.error(f"--logs must be at least {MIN_LOGS}, not {options.logs}")
    for name in options.names or BENCHMARKS:
        BENCHMARKS[name](options)


if __name__ == "__main__":
    main()
