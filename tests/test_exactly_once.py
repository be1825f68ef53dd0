"""Many failures at once, and every log is stored exactly once."""

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
from tests.throttled_worker import THROTTLED
from tests.waiting import wait_until
from tests.workers import WorkerProcess

pytest_plugins = ["tests.emulator"]

LOGS = 2_500
WORKERS = 4
KILLS = 3


@pytest.mark.usefixtures("logs_table")
def test_logs_survive_kills_throttling_and_redelivery(busy_queues: Queues) -> None:
    with run_workers() as throttled:
        process = subprocess.Popen([sys.executable, "-m", "tests.producer", str(LOGS)])
        try:
            assert process.wait(400) == 0
        finally:
            process.kill()
        wait_until(lambda: busy_queues.count() == 0, seconds=400, every=1)

    assert sum(throttled) > LOGS / 10
    invalid = {producer.log_id(number) for number in range(LOGS) if producer.is_invalid(number)}
    valid = {producer.log_id(number) for number in range(LOGS)} - invalid
    stored = logs()
    assert len(stored) == len(valid)
    assert {item.id for item in stored} == valid
    assert {(each["log-id"], each["error-code"]) for each in peek_dead_letters(busy_queues)} == {
        (log_id, "invalid_fields") for log_id in invalid
    }

    with WorkerProcess("--wait", "1", "--batch-size", "100"):
        for _ in range(2):
            assert commands.main(["dead-letters", "replay", "--all", "--rate", "1000"]) == 0
            wait_until(lambda: busy_queues.count() == 0, seconds=200, every=0.5)
    assert {item.id for item in logs()} == valid
    assert {each["log-id"] for each in peek_dead_letters(busy_queues)} == invalid


def peek_dead_letters(queues: Queues) -> list[dict[str, str]]:
    """Return the attributes of all dead letters, and reset their visibility timeout."""
    dead_letters = queues.dead_letters()
    for dead_letter in dead_letters:
        queues.client.change_message_visibility(
            QueueUrl=queues.dead_letter_url, ReceiptHandle=dead_letter["ReceiptHandle"], VisibilityTimeout=0
        )
    return [attribute_texts(dead_letter) for dead_letter in dead_letters]


@contextmanager
def run_workers() -> Iterator[list[int]]:
    """Run workers that are killed again and again. Yield the list of their numbers of throttled puts."""
    stop = threading.Event()
    throttled: list[int] = []
    workers = [threading.Thread(target=run_worker, args=(stop, throttled)) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    try:
        yield throttled
    finally:
        stop.set()
        for worker in workers:
            worker.join()


def run_worker(stop: threading.Event, throttled: list[int]) -> None:
    """Run a worker and kill it in the middle of a batch, KILLS times. The last process ends at `stop`."""
    for number in range(KILLS + 1):
        with WorkerProcess("--wait", "1", "--batch-size", "300", module="tests.throttled_worker") as worker:
            wait_until(lambda: worker.log_lines("batch") or stop.is_set())
            if number < KILLS:
                stop.wait(1)  # until it is in the middle of a batch
            else:
                stop.wait()
        throttled.append(worker.output.count(THROTTLED))
