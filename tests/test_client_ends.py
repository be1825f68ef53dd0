"""A process with a client ends: in order, by a kill, or with SQS away."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from ingest.client import LogClient
from tests.conftest import free_port
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


def test_a_process_that_exits_with_500_logs_in_its_buffer_sends_them(busy_queues: Queues) -> None:
    ended = run(HEAD + "client = LogClient()\nfor n in range(500): client.enqueue(**make_fields(user_id=n))")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert users(busy_queues) == [*range(500)]


def test_an_exit_with_sqs_away_is_bounded_and_says_how_many_are_lost(busy_queues: Queues) -> None:
    program = "client = LogClient()\nfor n in range(20): client.enqueue(**make_fields(user_id=n))"
    ended = run(HEAD + program, AWS_ENDPOINT_URL_SQS=f"http://127.0.0.1:{free_port()}")
    assert ended.returncode == 0
    assert "20 logs were not sent before the end, and are lost" in ended.stderr


def test_kill_9_with_a_durable_spool_loses_nothing(busy_queues: Queues, tmp_path: Path) -> None:
    program = (
        "client = LogClient(spool_dir=os.environ['SPOOL'], durable=True)\n"
        "for n in range(500): client.enqueue(**make_fields(user_id=n))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    away = f"http://127.0.0.1:{free_port()}"
    ended = run(HEAD + program, AWS_ENDPOINT_URL_SQS=away, SPOOL=str(tmp_path))
    assert ended.returncode == -signal.SIGKILL
    with LogClient(spool_dir=tmp_path):  # the next start
        wait_until(lambda: not list(tmp_path.iterdir()))
    assert users(busy_queues) == [*range(500)]


def test_several_processes_share_a_spool_and_each_log_is_sent_once(
    busy_queues: Queues, tmp_path: Path
) -> None:
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
