"""The same questions to Logsite and to Django's stock admin over MariaDB, with the same logs."""

import html
import multiprocessing
import re
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tqdm import tqdm

from bench import comparison, corpus, digests, mariadb, site, tables
from bench.comparison import Measurement, Size
from bench.corpus import Shape
from bench.engine import run_engine
from bench.questions import ROWS, Address, Question, questions
from bench.stock_admin import VARIANTS, StockAdmin, run_stock_admin
from bench.visitor import Visitor

DEFAULT_LOGS = [10_000, 100_000]
# A question is asked until one of both is reached, but at least three times.
ROUNDS, SECONDS = 15, 60.0
MIN_ROUNDS = 3
FOLDER = Path("build/bench")
LAST_PAGE = re.compile(rb'data-page="last" href="([^"]+)"')
# The link of a page whose budget is spent, which the page's script follows.
ONWARD = re.compile(rb'id="logs-onward".*?href="([^"]+)"', re.DOTALL)

# The seconds of a response, and the ids of its logs.
Reply = tuple[float, list[str]]


def main(numbers: Sequence[int] | None, folder: Path = FOLDER) -> None:
    """Compare the admins at each number of logs, and save the results. Print why if there is no server."""
    sizes: list[Size] = []
    # Each size has its own processes, because Django and PynamoDB keep what they read from the first tables.
    with ProcessPoolExecutor(
        1, mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=1
    ) as pool:
        for number in numbers or DEFAULT_LOGS:
            size = pool.submit(measure_size, number).result()
            if size is None:
                return
            sizes.append(size)
    print(f"\n{comparison.markdown(sizes)}")
    comparison.save(sizes, folder)


def measure_size(number: int) -> Size | None:
    """Fill both tables and ask all questions. Return None if there is no server."""
    shape = corpus.make_shape("usual", number)
    with run_engine(), mariadb.run_server() as server:
        if server is None:
            return None
        logs = corpus.make_logs(shape, range(shape.logs))
        server.insert(tqdm(logs, total=shape.logs, desc="MariaDB", unit="log"))
        import_logs(shape)
        digests.build(shape)
        user = site.sign_in(ROWS)
        with run_stock_admin(server.options) as stock:
            last_page = LAST_PAGE.search(user.send(site.LISTING).content)
            if last_page is None:
                raise RuntimeError(f"{number} logs are one page; take more than {ROWS}")
            measurements = [
                measure(question, stock, user)
                for question in questions(shape, html.unescape(last_page[1].decode()))
            ]
        return Size(shape.logs, server.version(), measurements)


def import_logs(shape: Shape) -> None:
    """Write the logs into DynamoDB."""
    tables.fill(shape)


def measure(question: Question, stock: StockAdmin, user: Visitor) -> Measurement:
    """Ask all admins alternately, because the speed of the machine varies.

    Raises RuntimeError if they do not list the same logs.
    """
    calls: dict[str, Callable[[], Reply]] = {
        variant: lambda variant=variant: _ask_stock(stock, variant, question.stock)  # type: ignore[misc]
        for variant in VARIANTS
    }
    calls[comparison.LOGSITE] = lambda: _ask_logsite(user, question.logsite)
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    rows: set[tuple[str, ...]] = set()
    started = time.monotonic()
    for done in range(ROUNDS):
        if done >= MIN_ROUNDS and time.monotonic() - started > SECONDS:
            break
        for name, call in calls.items():
            took, ids = call()
            seconds[name].append(took)
            rows.add(() if question.is_detail else tuple(ids))
    if len(rows) != 1:
        raise RuntimeError(f"{question.name}: the admins have other logs: {sorted(map(len, rows))} rows")
    medians = {name: statistics.median(each) for name, each in seconds.items()}
    [ids] = rows
    return Measurement(question.name, 1 if question.is_detail else len(ids), medians)


def _ask_stock(stock: StockAdmin, variant: str, address: Address) -> Reply:
    timing = stock.send(variant, address.path, address.data)
    return timing.seconds, timing.ids


def _ask_logsite(user: Visitor, address: Address) -> Reply:
    """Ask as the page's script does: a search continues until its page is full, or to the end."""
    reply = user.send(f"{site.LISTING}{address.path}", address.data)
    seconds, ids = reply.seconds, reply.ids()
    while len(ids) < ROWS and (onward := ONWARD.search(reply.content)):
        reply = user.send(f"{site.LISTING}{html.unescape(onward[1].decode())}")
        seconds, ids = seconds + reply.seconds, [*ids, *reply.ids()]
    return seconds, ids
