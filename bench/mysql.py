"""The same questions to Logsite and to Django's stock admin over MariaDB."""

import html
import multiprocessing
import re
import statistics
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from bench import comparison, corpus, mariadb, site
from bench.comparison import Measurement, Size
from bench.engine import run_engine
from bench.questions import ROWS, Address, Question, questions
from bench.stock_admin import VARIANTS, StockAdmin, run_stock_admin
from bench.visitor import Visitor
from ingest.imports import presets

DEFAULT_LOGS = [10_000, 100_000]
# Rounds of a question, fewer if it takes longer in all.
ROUNDS, MIN_ROUNDS, SECONDS = 15, 3, 60.0
FOLDER = Path("build/bench")
LAST_PAGE = re.compile(rb'data-page="last" href="([^"]+)"')
# The link of a page whose budget is spent, which the page's script follows.
ONWARD = re.compile(rb'id="logs-onward".*?href="([^"]+)"', re.DOTALL)

# The seconds of a response, and the ids of its logs.
Reply = tuple[float, list[str]]


def main(numbers: Sequence[int] | None, folder: Path = FOLDER, rounds: int = ROUNDS) -> None:
    """Compare the admins at each number of logs, and save the results. Print why if there is no server."""
    sizes: list[Size] = []
    # Each size has its own processes, because Django and PynamoDB keep what they read from the first tables.
    with ProcessPoolExecutor(
        1, mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=1
    ) as pool:
        for number in numbers or DEFAULT_LOGS:
            size = pool.submit(measure_size, number, rounds).result()
            if size is None:
                return
            sizes.append(size)
            # After each size, because the next one takes longer.
            print(f"\n{comparison.markdown(sizes)}", flush=True)
            comparison.save(sizes, folder)


def measure_size(number: int, rounds: int) -> Size | None:
    """Fill both tables and ask all questions. Return None if there is no server."""
    shape = corpus.make_shape("usual", number)
    with run_engine(), mariadb.run_server() as server:
        if server is None:
            return None
        logs = corpus.make_logs(shape, range(shape.logs))
        server.insert(tqdm(logs, total=shape.logs, desc="MariaDB", unit="log"))
        user = site.sign_in(ROWS)
        import_logs(server)
        with run_stock_admin(server.options) as stock:
            last_page = LAST_PAGE.search(user.send(site.LISTING).content)
            if last_page is None:
                raise RuntimeError(f"{number} logs are one page; take more than {ROWS}")
            all_questions = questions(shape, html.unescape(last_page[1].decode()))
            measurements = measure(all_questions, stock, user, rounds)
        return Size(shape.logs, server.version(), measurements)


def import_logs(server: mariadb.Server) -> None:
    """Import the table of the server. The command builds the digests too."""
    # Django must be set up first.
    from django.core.management import call_command

    with TemporaryDirectory() as folder:
        call_command(
            "import_logs",
            server.address,
            table=mariadb.TABLE,
            preset=presets.TABLE,
            checkpoint=Path(folder) / "checkpoint",
        )


def measure(
    all_questions: Sequence[Question], stock: StockAdmin, user: Visitor, rounds: int
) -> list[Measurement]:
    """Return the medians of rounds. Each round puts every question to every admin.

    The speed of the machine varies, and MariaDB still writes to the disk for a while after many rows. Raises
    RuntimeError if the admins do not list the same logs.
    """
    series = [Series(question) for question in all_questions]
    for done in range(rounds):
        for each in series:
            if done < MIN_ROUNDS or each.total < SECONDS:
                each.add(stock, user)
    return [each.measurement() for each in series]


class Series:
    """The seconds of one question, by admin, and the logs that the admins list."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._seconds: dict[str, list[float]] = {}
        self._ids: list[str] | None = None
        self.total = 0.0

    def add(self, stock: StockAdmin, user: Visitor) -> None:
        """Put the question to each admin twice, and add its second answer.

        Before the first one, the processor's caches hold the data of the other admins.
        """
        question = self._question
        for variant in VARIANTS:
            self._add(variant, partial(_ask_stock, stock, variant, question.stock))
        self._add(comparison.LOGSITE, partial(_ask_logsite, user, question.logsite))

    def measurement(self) -> Measurement:
        """Return the medians."""
        medians = {name: statistics.median(each) for name, each in self._seconds.items()}
        rows = 1 if self._question.is_detail else len(self._ids or ())
        return Measurement(self._question.name, rows, medians)

    def _add(self, name: str, ask: Callable[[], Reply]) -> None:
        self.total += ask()[0]
        seconds, ids = ask()
        self._seconds.setdefault(name, []).append(seconds)
        self.total += seconds
        if self._ids is None:
            self._ids = ids
        if ids != self._ids and not self._question.is_detail:
            raise RuntimeError(
                f"{self._question.name}: {name} lists {len(ids)} other logs than the {len(self._ids)} "
                "of the stock admin"
            )


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
