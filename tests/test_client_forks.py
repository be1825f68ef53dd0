"""Forks: each process sends its own logs, exactly once, whatever held a lock at that moment."""

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ingest.client import LogClient
from ingest.logging_handler import LogHandler
from tests.factories import make_fields
from tests.forks import c_fork, os_fork, run_child, run_parent, start_child, wait_for
from tests.queues import Queues
from tests.waiting import wait_until

pytest_plugins = ["tests.sqs_server"]


def users(queues: Queues) -> list[int]:
    return sorted(json.loads(body)["user_id"] for body in queues.bodies())


def fill(client: LogClient, numbers: range) -> None:
    for number in numbers:
        client.enqueue(**make_fields(user_id=number))


def flushed(client: LogClient) -> None:
    assert client.flush(30)


def enqueue(client: LogClient) -> None:
    fill(client, range(1, 6))
    flushed(client)


def enqueue_many(client: LogClient) -> None:
    client.enqueue_many(make_fields(user_id=number) for number in range(1, 6))
    flushed(client)


def close(client: LogClient) -> None:
    fill(client, range(1, 6))
    client.close(30)


def leave_context(client: LogClient) -> None:
    with client:
        fill(client, range(1, 6))


def flush_first(client: LogClient) -> None:
    flushed(client)
    assert client.counts.sent == 0
    enqueue(client)
    assert client.counts.sent == 5


def log_records(client: LogClient) -> None:
    logger = logging.Logger("shop")
    logger.addHandler(LogHandler(client))
    for number in range(1, 6):
        logger.warning("sold", extra={"user_id": number})
    flushed(client)


def fork_again(client: LogClient) -> None:
    fill(client, range(1, 3))
    flushed(client)

    def grandchild() -> None:
        fill(client, range(3, 6))
        flushed(client)

    assert run_child(grandchild, c_fork) == 0


WAYS = [enqueue, enqueue_many, close, leave_context, flush_first, log_records, fork_again]


FORKS = pytest.mark.parametrize("fork", [c_fork, os_fork])


@pytest.mark.parametrize("way", WAYS)
def test_child_of_a_c_fork_sends_its_logs(queues: Queues, way: Callable[[LogClient], None]) -> None:
    def parent() -> None:
        client = LogClient(queues.url)
        fill(client, range(1))
        flushed(client)  # the thread runs now
        assert run_child(lambda: way(client), c_fork) == 0
        fill(client, range(6, 8))
        client.close(30)

    run_parent(parent)
    assert users(queues) == [*range(8)]


@FORKS
@pytest.mark.parametrize("way", [enqueue, close, fork_again])
def test_child_with_a_spool_sends_its_logs(
    queues: Queues, tmp_path: Path, fork: Callable[[], int], way: Callable[[LogClient], None]
) -> None:
    def parent() -> None:
        client = LogClient(queues.url, spool_dir=tmp_path, durable=True)
        fill(client, range(1))
        flushed(client)
        assert run_child(lambda: way(client), fork) == 0
        client.close(30)

    run_parent(parent)
    assert users(queues) == [*range(6)]
    assert list(tmp_path.iterdir()) == []


def test_c_fork_of_a_sync_client_opens_connections(queues: Queues) -> None:
    def parent() -> None:
        client = LogClient(queues.url, sync=True)
        fill(client, range(1))
        parent_client = client._clients.get()

        def child() -> None:
            assert client._clients.get() is not parent_client
            fill(client, range(1, 3))
            client.close()

        assert run_child(child, c_fork) == 0
        fill(client, range(3, 4))
        assert client._clients.get() is parent_client

    run_parent(parent)
    assert users(queues) == [0, 1, 2, 3]


# Python itself does not survive a fork in C while another thread runs: there the thread must be waiting.
@pytest.mark.parametrize(("fork", "waiting"), [(c_fork, 6), (os_fork, 24)])
def test_buffered_logs_are_sent_once_by_the_parent(
    queues: Queues, fork: Callable[[], int], waiting: int
) -> None:
    def parent() -> None:
        client = LogClient(queues.url)
        fill(client, range(1))
        flushed(client)
        fill(client, range(1, waiting + 1))  # a full batch is being sent, the others wait for a second

        def child(numbers: range) -> None:
            fill(client, numbers)
            flushed(client)

        children = [start_child(partial(child, range(start, start + 3)), fork) for start in (25, 28)]
        assert [wait_for(process) for process in children] == [0, 0]
        client.close(30)

    run_parent(parent)
    assert users(queues) == [*range(waiting + 1), *range(25, 31)]


def held_by_a_thread(lock: AbstractContextManager[Any]) -> Iterator[None]:
    """Hold a lock in another thread until the generator is closed."""
    is_held, is_over = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            is_held.set()
            is_over.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    is_held.wait(60)
    yield
    is_over.set()
    thread.join()


@FORKS
@pytest.mark.parametrize("name", ["client", "handler"])
def test_lock_held_during_a_fork_blocks_no_child(queues: Queues, fork: Callable[[], int], name: str) -> None:
    def parent() -> None:
        client = LogClient(queues.url)
        handler = LogHandler(client)
        fill(client, range(1))
        flushed(client)
        assert client._senders
        assert handler.lock
        holding = held_by_a_thread(client._senders.get()._changed if name == "client" else handler.lock)
        next(holding)

        def child() -> None:
            handler.handle(logging.makeLogRecord({"name": "shop", "user_id": 1}))
            flushed(client)

        assert run_child(child, fork) == 0
        next(holding, None)
        client.close(30)

    run_parent(parent)
    assert users(queues) == [0, 1]


@FORKS
def test_silent_child_does_not_keep_the_spool_locked(
    queues: Queues, tmp_path: Path, fork: Callable[[], int]
) -> None:
    def parent() -> None:
        client = LogClient(queues.url, spool_dir=tmp_path, durable=True)
        assert client._senders
        reading, writing = os.pipe()
        with client._senders.get()._changed:  # the thread does not send yet
            fill(client, range(3))
            child = start_child(partial(os.read, reading, 1), fork)
        flushed(client)
        os.write(writing, b".")
        assert wait_for(child) == 0
        client.close()

    run_parent(parent)
    assert users(queues) == [0, 1, 2]


@FORKS
def test_child_closes_only_its_own_client(queues: Queues, fork: Callable[[], int]) -> None:
    def parent() -> None:
        with LogClient(queues.url) as client:
            fill(client, range(1))
            assert run_child(client.close, fork) == 0
            fill(client, range(1, 2))

    run_parent(parent)
    assert users(queues) == [0, 1]


def test_closed_client_stays_closed_in_a_child(queues: Queues) -> None:
    client = LogClient(queues.url)
    client.close()

    def child() -> None:
        with pytest.raises(RuntimeError, match="closed"):
            fill(client, range(1))

    run_parent(child)


@pytest.mark.parametrize("is_used", [True, False], ids=["used", "new"])
def test_patched_locks_are_used_from_then_on(
    queues: Queues, monkeypatch: pytest.MonkeyPatch, is_used: bool
) -> None:
    """gevent replaces the locks of `threading` in gunicorn's worker, after `--preload` created the client."""
    acquired: list[bool] = []

    class Patched(type(threading._PyRLock())):  # type: ignore[misc]
        def acquire(self, *args: Any, **options: Any) -> bool:
            acquired.append(True)
            return bool(super().acquire(*args, **options))

        __enter__ = acquire

    client = LogClient(queues.url)
    if is_used:
        fill(client, range(1))
    else:
        assert client.counts.sent == 0
    with monkeypatch.context() as patch:
        patch.setattr(threading, "RLock", Patched)
        patch.setattr(threading, "Lock", lambda: Patched())
        fill(client, range(1, 3))
        flushed(client)
        assert acquired
        client.close(30)
    wait_until(lambda: queues.count() == (3 if is_used else 2))
