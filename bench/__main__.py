"""`make bench`: the measurements, one after the other."""

import argparse
from collections.abc import Callable
from functools import partial

from bench import client, package, pages, search, sizes, streams, writing

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="make bench", description="Measure the figures in docs/performance.md."
    )
    parser.add_argument(
        "only",
        nargs="*",
        metavar="NAME",
        help="pages, streams, client, writing, sizes, search, package; all of them if none is named",
    )
    parser.add_argument(
        "--logs", type=int, default=100_000, metavar="N", help="how many logs the search is among (100000)"
    )
    options = parser.parse_args()
    benches: dict[str, Callable[[], None]] = {
        "pages": pages.main,
        "streams": streams.main,
        "client": client.main,
        "writing": writing.main,
        "sizes": sizes.main,
        "search": partial(search.main, options.logs),
        "package": package.main,
    }
    if unknown := set(options.only) - set(benches):
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}")
    if options.logs < 40:
        parser.error("--logs must be at least 40")
    for name in options.only or benches:
        benches[name]()
