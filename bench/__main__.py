"""`make bench`: run the benchmarks one after the other."""

import argparse
from collections.abc import Callable

from bench import (
    admin,
    client,
    digest_costs,
    digests,
    exports,
    imports,
    log_costs,
    package,
    pages,
    parsing,
    search,
    sizes,
    streams,
    timelines,
    writing,
)
from bench.engine import run_engine


def costs() -> None:
    """Print the costs of logs and of their digests."""
    log_costs.main()
    with run_engine():
        digest_costs.main()


BENCHMARKS: dict[str, Callable[[argparse.Namespace], None]] = {
    "pages": lambda options: pages.main(),
    "admin": lambda options: admin.main(options.logs),
    "parsing": lambda options: parsing.main(),
    "streams": lambda options: streams.main(),
    "client": lambda options: client.main(),
    "writing": lambda options: writing.main(),
    "sizes": lambda options: sizes.main(),
    "costs": lambda options: costs(),
    "search": lambda options: search.main(options.logs or DEFAULT_LOGS),
    "digests": lambda options: digests.main(options.logs, options.shape),
    "timelines": lambda options: timelines.main(options.logs or DEFAULT_LOGS),
    "exports": lambda options: exports.main(options.logs),
    "import": lambda options: imports.main(options.logs),
    "package": lambda options: package.main(),
}
# `bench.engine.fill` spreads the 20 logs that the search looks for over at least this many.
MIN_LOGS = 80
DEFAULT_LOGS = 100_000


def main() -> None:
    """Run the benchmarks in the arguments, or all."""
    names = ", ".join(BENCHMARKS)
    parser = argparse.ArgumentParser(
        prog="make bench",
        description='Measure the figures in docs/performance.md. Pass names and options in ARGS="…".',
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {names}; default: all")
    parser.add_argument(
        "--logs",
        type=int,
        metavar="N",
        help=f"number of other logs; default: {DEFAULT_LOGS}, for digests {digests.DEFAULT_LOGS}, "
        f"for exports {exports.DEFAULT_LOGS}, for import {imports.DEFAULT_LOGS}",
    )
    parser.add_argument(
        "--shape",
        choices=digests.SHAPES,
        default="usual",
        help="of digests: long payloads, all logs in one hour, or one log a day; default: usual",
    )
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"NAME must be one of {names}, not {', '.join(sorted(unknown))}")
    if options.logs is not None and options.logs < MIN_LOGS:
        parser.error(f"--logs must be at least {MIN_LOGS}, not {options.logs}")
    for name in options.names or BENCHMARKS:
        BENCHMARKS[name](options)


if __name__ == "__main__":
    main()
