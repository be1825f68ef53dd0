"""The end of a process with a client: an exit, a signal, a kill, an outage."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from ingest.client import LogClient, flush_on_sigterm
from ingest.sending import lifecycle
from ingest.sending.buffer import Buffer
from logsite.local.ports import free_port
from tests.factories import make_fields
from tests.forks import c_fork, os_fork, run_child, run_parent
from tests.queues import Queues
from tests.switched_sqs import SwitchedSqs
from tests.waiting import wait_until

pytest_plugins = ["tests.emulator"]


def run(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


HEAD = "from ingest.client import LogClient; from tests.factories import make_fields; import os, signal\n"


def users(queues: Queues) -> list[int]:
    return sorted(json.loads(body)["user_id"] for body in queues.bodies())


def test_exit_sends_500_buffered_logs(busy_queues: Queues) -> None:
    process = run(
        HEAD + "client = LogClient()\nfor n in range(500): client.enqueue(**make_fields(user_id=n))"
    )
    assert (process.returncode, process.stderr) == (0, "")
    assert users(busy_queues) == [*range(500)]


def test_exit_during_an_outage_ends_and_logs_the_loss(busy_queues: Queues) -> None:
    program = "client = LogClient()\nfor n in range(20): client.enqueue(**make_fields(user_id=n))"
    process = run(HEAD + program, AWS_ENDPOINT_URL_SQS=f"http://127.0.0.1:{free_port()}")
    assert process.returncode == 0
    assert "20 logs were not sent before the client closed, and are lost" in process.stderr


def test_kill_9_with_a_durable_spool_loses_nothing(busy_queues: Queues, tmp_path: Path) -> None:
    program = (
        "client = LogClient(spool_dir=os.environ['SPOOL'], durable=True)\n"
        "for n in range(500): client.enqueue(**make_fields(user_id=n))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    unreachable = f"http://127.0.0.1:{free_port()}"
    process = run(HEAD + program, AWS_ENDPOINT_URL_SQS=unreachable, SPOOL=str(tmp_path))
    assert process.returncode == -signal.SIGKILL
    with LogClient(spool_dir=tmp_path):  # as after a restart
        wait_until(lambda: not list(tmp_path.iterdir()))
    assert users(busy_queues) == [*range(500)]


def test_shared_spool_sends_each_log_once(busy_queues: Queues, tmp_path: Path) -> None:
    program = (
        "client = LogClient(spool_dir=os.environ['SPOOL'], durable=True)\n"
        "first = int(os.environ['FIRST'])\n"
        "for n in range(first, first + 200): client.enqueue(**make_fields(user_id=n))\n"
        "raise SystemExit(0 if client.flush(30) else 1)"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", HEAD + program],
            env={**os.environ, "SPOOL": str(tmp_path), "FIRST": str(first)},
        )
        for first in range(0, 600, 200)
    ]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert users(busy_queues) == [*range(600)]
    assert list(tmp_path.iterdir()) == []


def fill(client: LogClient, numbers: range) -> None:
    for number in numbers:
        client.enqueue(**make_fields(user_id=number))


def test_uncaught_exception_sends_the_logs(busy_queues: Queues) -> None:
    process = run(HEAD + "LogClient().enqueue(**make_fields(user_id=1))\nraise ZeroDivisionError")
    assert process.returncode == 1
    assert users(busy_queues) == [1]


def test_prefork_worker_sends_its_logs_at_exit(busy_queues: Queues) -> None:
    """As in gunicorn with `--preload`: the master logs, forks, and each worker ends by an exit."""
    program = (
        "client = LogClient()\nclient.enqueue(**make_fields(user_id=0))\n"
        # Python 3.12 warns if other threads exist.
        "import warnings\nwarnings.simplefilter('ignore', DeprecationWarning)\n"
        "for n in (1, 2):\n"
        "    if os.fork() == 0:\n"
        "        client.enqueue(**make_fields(user_id=n))\n"
        "        raise SystemExit(0)\n"
        "assert [os.wait()[1] for n in (1, 2)] == [0, 0]\n"
    )
    process = run(HEAD + program)
    assert (process.returncode, process.stderr) == (0, "")
    assert users(busy_queues) == [0, 1, 2]


@pytest.mark.parametrize("fork", [os_fork, c_fork])
@pytest.mark.parametrize("is_flushed", [True, False], ids=["flush", "durable"])
def test_os_exit_of_a_prefork_child_loses_nothing(
    busy_queues: Queues, tmp_path: Path, fork: Callable[[], int], is_flushed: bool
) -> None:
    """As in Celery, whose children end by `os._exit`."""

    def parent() -> None:
        client = LogClient(spool_dir=None if is_flushed else tmp_path, durable=not is_flushed)
        fill(client, range(1))

        def child() -> None:
            fill(client, range(1, 6))
            if is_flushed:
                assert client.flush(30)

        assert run_child(child, fork) == 0
        client.close(30)

    run_parent(parent)
    assert {*users(busy_queues)} == {*range(6)}  # the parent may send an interrupted file again


def terminate(client: LogClient) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)


def terminate_with_the_lock(client: LogClient) -> None:
    assert client._senders
    with client._senders.get()._changed:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.1)
    time.sleep(60)


def terminate_in_a_try(client: LogClient) -> None:
    while True:
        with contextlib.suppress(BaseException):  # as in careless programs
            terminate(client)


def terminate_from_a_thread(client: LogClient) -> None:
    thread = threading.Thread(target=terminate, args=(client,))
    thread.start()
    thread.join()


def terminate_without_threads(client: LogClient) -> None:
    def start(*args: Any) -> None:
        raise RuntimeError("can't start new thread")

    sys.modules["_thread"].start_new_thread = start  # type: ignore[attr-defined]
    terminate(client)


@pytest.mark.parametrize(
    "end",
    [
        terminate,
        terminate_with_the_lock,
        terminate_in_a_try,
        terminate_from_a_thread,
        terminate_without_threads,
    ],
)
@pytest.mark.parametrize("is_inherited", [False, True], ids=["own", "inherited"])
def test_sigterm_sends_the_logs_and_kills(
    busy_queues: Queues, end: Callable[[LogClient], None], is_inherited: bool
) -> None:
    def parent() -> None:
        client = LogClient()
        if is_inherited:
            flush_on_sigterm()

        def child() -> None:
            flush_on_sigterm()
            flush_on_sigterm()
            fill(client, range(5))
            end(client)

        assert run_child(child) == -signal.SIGTERM

    run_parent(parent)
    assert users(busy_queues) == [*range(5)]


def test_sigterm_calls_the_previous_handler(busy_queues: Queues) -> None:
    def child() -> None:
        client = LogClient()

        def previous(number: int, frame: FrameType | None) -> None:
            fill(client, range(5, 6))  # the client still works
            client.close(30)
            os._exit(number)

        signal.signal(signal.SIGTERM, previous)
        flush_on_sigterm()
        fill(client, range(5))
        terminate(client)

    assert run_child(child) == signal.SIGTERM
    assert users(busy_queues) == [*range(6)]


def test_ignored_sigterm_stays_ignored(busy_queues: Queues) -> None:
    def child() -> None:
        client = LogClient()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        flush_on_sigterm()
        fill(client, range(1))
        os.kill(os.getpid(), signal.SIGTERM)
        wait_until(lambda: client.counts.sent == 1)
        fill(client, range(1, 2))
        client.close(30)

    run_parent(child)
    assert users(busy_queues) == [0, 1]


def test_sigterm_during_an_outage_spools_the_logs(busy_queues: Queues, tmp_path: Path) -> None:
    def child() -> None:
        os.environ["AWS_ENDPOINT_URL_SQS"] = f"http://127.0.0.1:{free_port()}"
        flush_on_sigterm()
        client = LogClient(spool_dir=tmp_path)
        fill(client, range(5))
        os.kill(os.getpid(), signal.SIGTERM)
        wait_until(lambda: lifecycle.own_senders() == [])
        time.sleep(60)

    assert run_child(child) == -signal.SIGTERM
    with LogClient(spool_dir=tmp_path) as client:
        assert client.flush(30)
    assert users(busy_queues) == [*range(5)]


def test_flush_on_sigterm_needs_the_main_thread() -> None:
    errors: list[str] = []

    def install() -> None:
        try:
            flush_on_sigterm()
        except ValueError as error:
            errors.append(str(error))

    thread = threading.Thread(target=install)
    thread.start()
    thread.join()
    assert errors == ["flush_on_sigterm must be called in the main thread: Python handles signals there"]


def test_flush_on_sigterm_keeps_foreign_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "getsignal", lambda number: None)
    with pytest.raises(RuntimeError, match="cannot replace a handler of SIGTERM that is not Python's"):
        flush_on_sigterm()


FAULTS = [
    RuntimeError("can't start new thread"),
    RuntimeError("can't create new thread at interpreter shutdown"),
    MemoryError(),
    OSError(11, "Resource temporarily unavailable"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
def test_logs_are_sent_by_the_caller_if_no_thread_starts(
    switched: SwitchedSqs, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def start(self: threading.Thread) -> None:
        raise fault

    monkeypatch.setattr(threading.Thread, "start", start)
    client = LogClient("http://127.0.0.1/1/logs")
    fill(client, range(15))
    assert client.flush(20)
    fill(client, range(15, 17))
    client.close()
    assert switched.users == [*range(17)]
    assert client.counts.sent == 17


def test_caller_without_a_thread_stops_in_time(
    switched: SwitchedSqs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    switched.on.clear()
    client = LogClient("http://127.0.0.1/1/logs")
    fill(client, range(3))
    assert client.flush(0.1) is False
    client.close(0.1)
    assert "3 logs were not sent before the client closed, and are lost" in caplog.text


@pytest.mark.parametrize(
    "fault",
    [RuntimeError("cannot notify on un-acquired lock"), MemoryError(), RecursionError()],
    ids=repr,
)
def test_fault_of_the_machinery_never_reaches_enqueue(
    switched: SwitchedSqs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fault: Exception
) -> None:
    def raises(self: object, *args: object) -> None:
        raise fault

    client = LogClient("http://127.0.0.1/1/logs")
    with monkeypatch.context() as patch:
        patch.setattr(Buffer, "append", raises)
        fill(client, range(3))
        assert client.enqueue_many([make_fields()]) == 1
    assert client.counts.dropped == 4
    assert "a log could not be buffered" in caplog.text
    fill(client, range(3, 4))
    client.close()
    assert switched.users == [3]
