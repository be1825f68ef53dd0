"""`make bench`: run the benchmarks one after the other."""

import argparse
from collections.abc import Callable
from functools import partial

from bench import client, package, pages, search, sizes, streams, writing

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="make bench", description="Measure the figures in docs/performance.md."
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="pages, streams, client, writing, sizes, search, package; default: all",
    )
    parser.add_argument(
        "--logs", type=int, default=100_000, metavar="N", help="number of logs to search; default: 100000"
    )
    options = parser.parse_args()
    benchmarks: dict[str, Callable[[], None]] = {
        "pages": pages.main,
        "streams": streams.main,
        "client": client.main,
        "writing": writing.main,
        "sizes": sizes.main,
        "search": partial(search.main, options.logs),
        "package": package.main,
    }
    if unknown := set(options.names) - set(benchmarks):
        parser.error(f"NAME must be one of {', '.join(benchmarks)}, not {', '.join(sorted(unknown))}")
    if options.logs < 40:
        parser.error(f"--logs must be at least 40, not {options.logs}")
    for name in options.names or benchmarks:
        benchmarks[name]()
