"""multiprocessing: its children end without `atexit`, and some leave files in the spool."""

import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from ingest.client import LogClient
from logsite.local.ports import free_port
from tests import processes
from tests.factories import make_fields
from tests.forks import c_fork, os_fork, run_child, run_parent
from tests.queues import Queues
from tests.waiting import wait_until

pytest_plugins = ["tests.sqs_server"]

FORK = multiprocessing.get_context("fork")


def users(queues: Queues) -> list[int]:
    return sorted(json.loads(body)["user_id"] for body in queues.bodies())


def start_three(target: Callable[[int], None]) -> list[int | None]:
    """Run three forked children, and return their exit codes."""
    children = [FORK.Process(target=target, args=(first,)) for first in (0, 5, 10)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    return [child.exitcode for child in children]


def run_processes() -> None:
    assert start_three(processes.enqueue_five) == [0, 0, 0]


def run_exits() -> None:
    assert start_three(processes.enqueue_and_raise) == [3, 3, 3]


def run_sigterm() -> None:
    assert start_three(processes.enqueue_and_terminate) == [-signal.SIGTERM] * 3


def run_pool() -> None:
    with FORK.Pool(2) as pool:
        pool.map(processes.enqueue_five, (0, 5, 10))
        pool.close()
        pool.join()


def run_executor() -> None:
    with ProcessPoolExecutor(2, mp_context=FORK) as executor:
        list(executor.map(processes.enqueue_five, (0, 5, 10)))


def run_nested() -> None:
    def middle() -> None:
        processes.enqueue_five(0)
        assert start_three(processes.enqueue_later_five) == [0, 0, 0]

    child = FORK.Process(target=middle)
    child.start()
    child.join()
    assert child.exitcode == 0


WAYS = [run_processes, run_exits, run_sigterm, run_pool, run_executor, run_nested]


@pytest.mark.parametrize("has_spool", [False, True], ids=["memory", "spool"])
@pytest.mark.parametrize("way", WAYS)
def test_child_of_multiprocessing_sends_its_logs(
    queues: Queues, tmp_path: Path, way: Callable[[], None], has_spool: bool
) -> None:
    def parent() -> None:
        client = LogClient(spool_dir=tmp_path if has_spool else None)
        processes.use(client)
        client.enqueue(**make_fields(user_id=15))
        way()
        client.close(30)

    run_parent(parent)
    assert users(queues) == [*range(16)]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_new_interpreter_sends_its_logs(queues: Queues, method: str) -> None:
    child = multiprocessing.get_context(method).Process(target=processes.enqueue_five, args=(0,))  # type: ignore[attr-defined]
    child.start()
    child.join()
    assert child.exitcode == 0
    assert users(queues) == [*range(5)]


def wait(client: LogClient) -> None:
    queues = Queues.from_environment()
    wait_until(lambda: queues.count() == 15)


def flush(client: LogClient) -> None:
    assert client.flush(30)


def close(client: LogClient) -> None:
    client.close(30)


@pytest.mark.parametrize("end", [wait, flush, close])
@pytest.mark.parametrize("fork", [os_fork, c_fork])
def test_parent_adopts_the_files_of_its_children(
    queues: Queues, tmp_path: Path, fork: Callable[[], int], end: Callable[[LogClient], None]
) -> None:
    """The parent sends nothing. SQS is unreachable for its children, which end by `os._exit`."""
    if (end, fork) == (wait, c_fork):
        end = flush  # no hook tells the parent of the fork

    def parent() -> None:
        client = LogClient(spool_dir=tmp_path, durable=True)
        processes.use(client)

        def child(first: int) -> None:
            os.environ["AWS_ENDPOINT_URL_SQS"] = f"http://127.0.0.1:{free_port()}"
            processes.enqueue_five(first)

        for first in (0, 5, 10):
            assert run_child(partial(child, first), fork) == 0
        end(client)

    run_parent(parent)
    assert users(queues) == [*range(15)]
