"""The parts of `runlocal`: child processes, ports, data folder, and the engine's binary."""

import os
import socket
import sys
from pathlib import Path

import pytest

from logsite.local import engine
from logsite.local.data_folder import delete_data
from logsite.local.ports import free_port
from logsite.local.processes import Child, ChildFailed, Children
from tests.runlocal import all_exit
from tests.waiting import wait_until


def test_missing_engine_names_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(engine.EngineMissing, match=r"make setup(.|\n)*amazon/dynamodb-local"):
        engine.binary(tmp_path)


def test_child_ignoring_sigterm_is_killed_with_its_group(tmp_path: Path) -> None:
    program = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "below = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(below.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program]
    child = Child("stubborn one", command, os.environ, tmp_path / "log", stop_timeout=0.3)
    wait_until(lambda: child.last_lines, "the child prints a line", every=0.02)
    below = int(child.last_lines[0])
    child.stop()
    assert child.has_exited
    assert all_exit([below])


def test_exited_child_is_reported_with_its_last_lines(tmp_path: Path) -> None:
    children = Children()
    children.add(
        Child("weak one", [sys.executable, "-c", "print('why'); exit(3)"], os.environ, tmp_path / "log")
    )
    with pytest.raises(ChildFailed, match=r"The weak one exited with status 3(.|\n)*why"):
        children.wait()


def test_missing_program_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ChildFailed, match=r"The odd one could not be started: .*no such program"):
        Child("odd one", [str(tmp_path / "no such program")], os.environ, tmp_path / "log")


def test_fresh_start_deletes_only_local_data(tmp_path: Path) -> None:
    (tmp_path / "sqs").mkdir()
    data = ["dynamodb.sqlite", "dynamodb.sqlite-wal", "engine.log", "env", "sqs/pid", "state.json"]
    foreign = ["lock", "thesis.txt", "nginx.log"]
    for name in data + foreign:
        (tmp_path / name).touch()
    delete_data(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(foreign)


def test_preferred_port_is_used_if_it_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as occupied:
        port = occupied.getsockname()[1]
        assert free_port(port) != port
    assert free_port(port) == port
