"""Everything breaks at once, and at the end every log is in the table exactly once."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ingest import __main__ as commands
from tests import producer
from tests.items import logs
from tests.queues import Queues, attribute_texts
from tests.refusing_worker import REFUSED
from tests.waiting import wait_until
from tests.workers import Worker

pytest_plugins = ["tests.emulator"]

LOGS = 20_000
WORKERS = 4
KILLS = 4


@pytest.mark.usefixtures("logs_table")
def test_twenty_thousand_logs_survive_kills_throttling_redelivery_and_forks(busy_queues: Queues) -> None:
    with working() as refused:
        sending = subprocess.Popen([sys.executable, "-m", "tests.producer", str(LOGS)])
        try:
            assert sending.wait(400) == 0
        finally:
            sending.kill()
        wait_until(lambda: busy_queues.count() == 0, seconds=400, every=1)

    assert sum(refused) > LOGS / 10
    wrong = {producer.log_id(number) for number in range(LOGS) if producer.is_wrong(number)}
    good = {producer.log_id(number) for number in range(LOGS)} - wrong
    stored = logs()
    assert len(stored) == len(good)
    assert {item.id for item in stored} == good
    assert {(letter["log-id"], letter["error-code"]) for letter in letters(busy_queues)} == {
        (log_id, "invalid_fields") for log_id in wrong
    }

    with Worker("--wait", "1", "--batch-size", "100"):
        for _ in range(2):
            assert commands.main(["dead-letters", "replay", "--all", "--rate", "1000"]) == 0
            wait_until(lambda: busy_queues.count() == 0, seconds=200, every=0.5)
    assert {item.id for item in logs()} == good
    assert {letter["log-id"] for letter in letters(busy_queues)} == wrong


def letters(queues: Queues) -> list[dict[str, str]]:
    """Look at all dead letters, and let them be visible again."""
    found = queues.dead_letters()
    for letter in found:
        queues.client.change_message_visibility(
            QueueUrl=queues.dead_letter_url, ReceiptHandle=letter["ReceiptHandle"], VisibilityTimeout=0
        )
    return [attribute_texts(letter) for letter in found]


@contextmanager
def working() -> Iterator[list[int]]:
    """Let workers work meanwhile, each of which is killed again and again; give what each life refused."""
    stop = threading.Event()
    refused: list[int] = []
    workers = [threading.Thread(target=work, args=(stop, refused)) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    try:
        yield refused
    finally:
        stop.set()
        for worker in workers:
            worker.join()


def work(stop: threading.Event, refused: list[int]) -> None:
    """Run a worker, and kill it amid its work, again and again; the last one may live."""
    for number in range(KILLS + 1):
        with Worker("--wait", "1", "--batch-size", "300", module="tests.refusing_worker") as worker:
            wait_until(lambda: worker.told("batch") or stop.is_set())
            if number < KILLS:
                stop.wait(1)  # it is busy
            else:
                stop.wait()
        refused.append(worker.output.count(REFUSED))
