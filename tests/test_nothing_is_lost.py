"""Everything breaks at once, and at the end every log is in the table exactly once."""

import itertools
import subprocess
import sys
import threading

import pytest

from tests import producer
from tests.items import logs
from tests.proxy import proxied
from tests.queues import Queues, attribute_texts
from tests.workers import Worker, wait_until

pytest_plugins = ["tests.emulator"]

LOGS = 20_000
WORKERS = 4
KILLS = 4


@pytest.mark.usefixtures("logs_table")
def test_twenty_thousand_logs_survive_kills_throttling_redelivery_and_forks(busy_queues: Queues) -> None:
    puts = itertools.count()

    def refuse_one_in_five(operation: str) -> str | None:
        return "ThrottlingException" if operation == "PutItem" and next(puts) % 5 == 0 else None

    with proxied(refuse_one_in_five):
        sending = subprocess.Popen([sys.executable, "-m", "tests.producer", str(LOGS)])
        stop = threading.Event()
        workers = [threading.Thread(target=work, args=(stop,)) for _ in range(WORKERS)]
        for worker in workers:
            worker.start()
        try:
            assert sending.wait(200) == 0
            wait_until(lambda: busy_queues.count() == 0, 200)
        finally:
            stop.set()
            sending.kill()
            for worker in workers:
                worker.join()

    wrong = {producer.log_id(number) for number in range(LOGS) if producer.is_wrong(number)}
    stored = logs()
    assert len(stored) == LOGS - len(wrong)
    assert {item.id for item in stored} == {producer.log_id(number) for number in range(LOGS)} - wrong
    letters = [attribute_texts(letter) for letter in busy_queues.dead_letters()]
    assert {letter["log-id"] for letter in letters} == wrong
    assert {letter["error-code"] for letter in letters} == {"invalid_fields"}
    assert {letter["error-fields"] for letter in letters} == {"account_id", "type", "url", "created_at"}


def work(stop: threading.Event) -> None:
    """Run a worker, and kill it amid its work, again and again; the last one may live."""
    for number in range(KILLS + 1):
        with Worker("--wait", "1", "--batch-size", "300") as worker:
            wait_until(lambda: worker.told("batch") or stop.is_set())
            if number < KILLS:
                stop.wait(1)  # it is busy
            else:
                stop.wait()
