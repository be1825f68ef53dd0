"""`manage.py runlocal`: starts everything, fills it, and leaves nothing behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from logsite.local import engine, stack
from logsite.local.processes import Child, ChildDied, Children, free_port
from logsite.management.commands import runlocal

ROOT = Path(__file__).resolve().parent.parent
LOGS = 150


class Run:
    """One `runlocal` in a process of its own, and all that it has printed so far."""

    def __init__(self, folder: Path, *arguments: str, port: int = 0, **environment: str) -> None:
        self.output = folder.parent / "output"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LOGS_"))}
        kept.pop("DJANGO_SETTINGS_MODULE", None)
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "manage.py",
                    "runlocal",
                    f"--folder={folder}",
                    f"--port={port or free_port()}",
                    *arguments,
                ],
                cwd=ROOT,
                env={**kept, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def text(self) -> str:
        return self.output.read_text()

    def wait_for(self, what: str, seconds: float = 60) -> str:
        """Wait for a line that holds `what`; return what was printed until then."""
        deadline = time.monotonic() + seconds
        while what not in self.text:
            assert self.process.poll() is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.05)
        return self.text

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)

    def children(self) -> list[int]:
        """Return the ids of all processes below this one."""
        parents = {pid: parent for pid, parent, _, _ in processes()}
        found, ahead = [], [self.process.pid]
        while ahead:
            parent = ahead.pop()
            below = [pid for pid, above in parents.items() if above == parent]
            found += below
            ahead += below
        return found


def processes() -> Iterator[tuple[int, int, str, str]]:
    """Yield id, parent's id, state and command of every process; a small container has no `ps`."""
    if not Path("/proc/self/stat").exists():
        table = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid=,state=,args="], capture_output=True, text=True, check=True
        ).stdout
        for line in table.splitlines():
            pid, parent, state, command = line.split(None, 3)
            yield int(pid), int(parent), state[0], command
        return
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(") ")[2].split()[:2]
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        yield int(folder.name), int(parent), state, command


def living(pids: list[int]) -> list[int]:
    """Return which of the processes live; one that ended, and was not asked for yet, does not."""
    return [pid for pid, _, state, _ in processes() if pid in pids and state != "Z"]


def the_one(pids: list[int], words: str) -> int:
    """Return the one among the processes whose command has these words."""
    (found,) = [pid for pid, _, _, command in processes() if pid in pids and words in command]
    return found


def all_end(pids: list[int]) -> bool:
    """Tell whether none of the processes lives; a killed one takes a moment to go."""
    deadline = time.monotonic() + 60
    while living(pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Return what starts a `runlocal` on this test's folder; it is ended with the test."""
    runs: list[Run] = []

    def start(*arguments: str, **settings: Any) -> Run:
        runs.append(Run(tmp_path / "local", *arguments, **settings))
        return runs[-1]

    yield start
    for run in runs:
        if run.process.poll() is None:
            run.end()


def rows(folder: Path) -> int:
    """Count the logs in the table that a running stack uses."""
    shared = dict(line.split("=", 1) for line in (folder / "env").read_text().splitlines())
    client: Any = boto3.client("dynamodb", endpoint_url=shared["AWS_ENDPOINT_URL_DYNAMODB"])
    pages = client.get_paginator("scan").paginate(
        TableName="LogsTable", Select="COUNT", FilterExpression="attribute_exists(account_id)"
    )
    return sum(page["Count"] for page in pages)


def test_it_starts_fills_and_stops_and_a_second_start_finds_the_data(
    start: Callable[..., Run], tmp_path: Path
) -> None:
    folder = tmp_path / "local"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        run = start(
            f"--logs={LOGS}",
            port=taken.getsockname()[1],
            # What must neither get through nor get in the way.
            ALLOWED_HOSTS="logs.example.com",
            AWS_ACCESS_KEY_ID="AKIAREAL",
            AWS_PROFILE="production",
            AWS_REGION="eu-west-1",
            AWS_SESSION_TOKEN="AKIAREAL",
            HTTP_PROXY="http://127.0.0.1:9",
            SECRET_KEY="two words",
            http_proxy="http://127.0.0.1:9",
        )
        printed = run.wait_for("Ready:")
        address = re.search(r"http://127\.0\.0\.1:\d+/", printed)
        assert address
        assert address[0] != f"http://127.0.0.1:{taken.getsockname()[1]}/"
    name, password = re.search(r"user name +(\S+)\n +password +(\S+)", printed).groups()  # type: ignore[union-attr]
    assert stack.can_sign_in(address[0], name, password)
    assert not stack.can_sign_in(address[0], name, password + "x")
    assert rows(folder) == LOGS
    assert "AKIAREAL" not in (folder / "env").read_text()
    assert (folder / "env").stat().st_mode & 0o077 == 0
    assert (folder / "state.json").stat().st_mode & 0o077 == 0

    # The line to paste sends a log.
    line = re.search(r"Send a log of your own:\n +(.+)\n", printed)
    assert line
    subprocess.run(["/bin/sh", "-c", line[1]], cwd=ROOT, check=True)
    deadline = time.monotonic() + 60
    while rows(folder) == LOGS:
        assert time.monotonic() < deadline
        time.sleep(0.1)

    children = run.children()
    assert len(children) >= 4
    for environment in (Path(f"/proc/{pid}/environ") for pid in children):
        assert not environment.exists() or b"AKIAREAL" not in environment.read_bytes()
    assert run.end(signal.SIGINT) == 0
    assert all_end(children)
    assert "Traceback" not in run.text

    again = start(f"--logs={LOGS}")
    printed = again.wait_for("Ready:")
    assert "Sample logs" not in printed
    assert password in printed
    assert rows(folder) == LOGS + 1
    second = Run(tmp_path / "local")
    assert second.process.wait(60) == 1
    assert "Another `runlocal` is running" in second.text

    # Even killed it leaves nothing behind.
    children = again.children()
    again.end(signal.SIGKILL)
    assert all_end(children)
    runlocal.take_lock(folder).close()


def test_an_interrupted_start_is_completed_by_the_next(start: Callable[..., Run], tmp_path: Path) -> None:
    run = start("--logs=400")
    run.wait_for("Sample logs")
    time.sleep(0.3)
    children = run.children()
    assert run.end(signal.SIGINT) == 0
    assert all_end(children)

    run = start("--logs=400")
    run.wait_for("Sample logs")
    time.sleep(0.3)
    children = run.children()
    os.kill(the_one(children, "ministack"), signal.SIGKILL)
    assert run.process.wait(60) == 1
    assert "The SQS emulator ended with status -9" in run.text
    assert "Traceback" not in run.text
    assert all_end(children)

    run = start("--logs=400")
    run.wait_for("Ready:")
    assert rows(tmp_path / "local") == 400
    assert "dead-letter" not in run.text
    assert run.end(signal.SIGTERM) == 0


def test_endpoints_of_ones_own_are_named_and_the_death_of_a_child_ends_everything_with_a_report(
    start: Callable[..., Run], tmp_path: Path, dynamodb_engine: str
) -> None:
    refused = start("--logs=0", "--fresh", AWS_ENDPOINT_URL_DYNAMODB=dynamodb_engine)
    assert refused.process.wait(60) == 1
    assert "--fresh deletes local data alone" in refused.text
    run = start(
        "--logs=0",
        AWS_ENDPOINT_URL_DYNAMODB=dynamodb_engine,
        ALLOWED_HOSTS="logs.example.com",
        SESSIONS_TABLE="OtherSessions",
    )
    printed = run.wait_for("Ready:")
    assert f"AWS_ENDPOINT_URL_DYNAMODB is set: using {dynamodb_engine}" in printed
    assert not (tmp_path / "local" / "dynamodb.sqlite").exists()
    assert "SESSIONS_TABLE=OtherSessions" in (tmp_path / "local" / "env").read_text()
    children = run.children()
    os.kill(the_one(children, "ingest.worker"), signal.SIGKILL)
    assert run.process.wait(60) == 1
    assert "The worker ended with status -9" in run.text
    assert "worker started" in run.text.split("Its last lines")[1]
    assert "Traceback" not in run.text
    assert all_end(children)


def test_what_is_missing_is_said_in_words(start: Callable[..., Run], tmp_path: Path) -> None:
    run = start("--logs=0", AWS_ENDPOINT_URL_SQS="http://127.0.0.1:9")
    assert run.process.wait(60) == 1
    assert "A part of the stack does not answer" in run.text
    assert "127.0.0.1:9" in run.text
    assert "Traceback" not in run.text


def test_a_missing_engine_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(engine, "ROOT", tmp_path)
    with pytest.raises(engine.EngineMissing, match=r"make setup(.|\n)*amazon/dynamodb-local"):
        engine.binary()


def test_a_child_that_does_not_end_by_itself_is_killed_with_all_below_it(tmp_path: Path) -> None:
    program = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "below = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(below.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    child = Child("stubborn one", [sys.executable, "-c", program], os.environ, tmp_path / "log", patience=0.3)
    while not child.tail:
        time.sleep(0.02)
    below = int(child.tail[0])
    child.stop()
    assert child.is_dead
    assert all_end([below])


def test_a_child_that_ends_is_reported_with_its_last_lines(tmp_path: Path) -> None:
    children = Children()
    children.add(
        Child("weak one", [sys.executable, "-c", "print('why'); exit(3)"], os.environ, tmp_path / "log")
    )
    with pytest.raises(ChildDied, match=r"The weak one ended with status 3(.|\n)*why"):
        children.wait_for_the_end()


def test_a_program_that_does_not_start_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(ChildDied, match=r"The odd one could not be started: .*no such program"):
        Child("odd one", [str(tmp_path / "no such program")], os.environ, tmp_path / "log")


def test_a_fresh_start_deletes_what_is_ours_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "sqs").mkdir()
    ours = ["dynamodb.sqlite", "dynamodb.sqlite-wal", "engine.log", "env", "sqs/pid", "state.json"]
    foreign = ["lock", "thesis.txt", "nginx.log"]
    for name in ours + foreign:
        (tmp_path / name).touch()
    runlocal.clear(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(foreign)


def test_the_usual_port_is_taken_where_it_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert free_port(port) != port
    assert free_port(port) == port


@pytest.mark.parametrize(("allowed", "status"), [("", 1), ("1", 0)])
def test_with_debug_on_and_no_endpoint_the_site_refuses_aws(allowed: str, status: int) -> None:
    environment = {"PATH": os.environ["PATH"], "DEBUG": "on", "SECRET_KEY": "x", "LOGS_ALLOW_AWS": allowed}
    run = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert run.returncode == status
    assert ("would talk to AWS itself" in run.stderr) is bool(status)
    assert "Traceback" not in run.stderr


def test_a_missing_setting_is_said_in_a_sentence() -> None:
    for command in ("check", "runserver", "create_tables"):
        run = subprocess.run(
            [sys.executable, "manage.py", command],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
        )
        assert run.returncode == 1
        assert run.stderr == (
            "Settings: Set SECRET_KEY, "
            "or SECRET_KEY_PARAMETER to the name of the SSM parameter that holds it.\n"
        )
