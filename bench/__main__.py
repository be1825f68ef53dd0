"""`make bench`: run the benchmarks one after the other."""

import argparse
from collections.abc import Callable
from pathlib import Path

from bench import (
    client,
    digest_costs,
    digests,
    exports,
    import_kills,
    imports,
    log_costs,
    mysql,
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
from bench.questions import ROWS


def one_number(options: argparse.Namespace) -> int | None:
    """Return the number of logs in the arguments."""
    return options.logs[0] if options.logs else None


def costs() -> None:
    """Print the costs of logs and of their digests."""
    log_costs.main()
    with run_engine():
        digest_costs.main()


BENCHMARKS: dict[str, Callable[[argparse.Namespace], None]] = {
    "pages": lambda options: pages.main(),
    "mysql": lambda options: mysql.main(options.logs, options.output),
    "parsing": lambda options: parsing.main(),
    "streams": lambda options: streams.main(),
    "client": lambda options: client.main(),
    "writing": lambda options: writing.main(),
    "sizes": lambda options: sizes.main(),
    "costs": lambda options: costs(),
    "search": lambda options: search.main(one_number(options) or DEFAULT_LOGS),
    "digests": lambda options: digests.main(one_number(options), options.shape),
    "timelines": lambda options: timelines.main(one_number(options) or DEFAULT_LOGS),
    "exports": lambda options: exports.main(one_number(options)),
    "import": lambda options: imports.main(one_number(options)),
    "kills": lambda options: import_kills.main(one_number(options)),
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
        nargs="+",
        metavar="N",
        help=f"number of other logs; default: {DEFAULT_LOGS}, for digests {digests.DEFAULT_LOGS}, "
        f"for exports {exports.DEFAULT_LOGS}, for import and kills {imports.DEFAULT_LOGS}; of mysql "
        f"one or several multiples of {ROWS}, default: {' '.join(map(str, mysql.DEFAULT_LOGS))}",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=mysql.FOLDER,
        metavar="FOLDER",
        help=f"of mysql: where its results are saved; default: {mysql.FOLDER}",
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
    if options.logs and min(options.logs) < MIN_LOGS:
        parser.error(f"--logs must be at least {MIN_LOGS}, not {min(options.logs)}")
    if options.names == ["mysql"]:
        if wrong := [number for number in options.logs or [] if number % ROWS or number < 2 * ROWS]:
            parser.error(f"--logs of mysql must be multiples of {ROWS} from {2 * ROWS} on, not {wrong[0]}")
    elif options.logs and len(options.logs) > 1:
        parser.error(f"--logs must be one number except for mysql alone, not {len(options.logs)}")
    for name in options.names or BENCHMARKS:
        BENCHMARKS[name](options)


if __name__ == "__main__":
    main()
