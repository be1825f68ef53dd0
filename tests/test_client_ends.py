"""The end of a process with a client: a normal exit, a kill, or an exit during an outage."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from ingest.client import LogClient
from logsite.local.ports import free_port
from tests.queues import Queues
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
