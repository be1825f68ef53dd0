"""`manage.py runlocal`: it starts everything, sends the sample logs, and leaves no process behind."""

import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest

from logs.storage import tables
from logsite.accounts.store import UserItem
from logsite.local import engine, stack
from logsite.local.data_folder import lock_folder
from logsite.local.ports import accepts_connections, free_port
from logsite.local.processes import ROOT
from logsite.management.commands.runlocal import SHARED_VARIABLES
from tests.runlocal import Runlocal, all_exit, count_logs, has_built_digests, has_process, process_with
from tests.waiting import wait_until

LOGS = 150


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Runlocal]]:
    """Return a function that starts a `runlocal` in this test's folder."""
    runs: list[Runlocal] = []

    def start(*arguments: str, **settings: Any) -> Runlocal:
        runs.append(Runlocal(tmp_path / "local", *arguments, **settings))
        return runs[-1]

    yield start
    for run in runs:
        if run.process.poll() is None:
            run.end()


def test_second_start_reuses_the_data_of_the_first(start: Callable[..., Runlocal], tmp_path: Path) -> None:
    folder = tmp_path / "local"
    with socket.create_server(("127.0.0.1", 0)) as occupied:
        port = occupied.getsockname()[1]
        run = start(
            f"--logs={LOGS}",
            port=port,
            # None of these may reach a child or disturb the start.
            ALLOWED_HOSTS="logs.example.com",
            AWS_ACCESS_KEY_ID="AKIAREAL",
            AWS_PROFILE="production",
            AWS_REGION="eu-west-1",
            AWS_SESSION_TOKEN="AKIAREAL",
            HTTP_PROXY="http://127.0.0.1:9",
            SECRET_KEY="two words",
            http_proxy="http://127.0.0.1:9",
        )
        output = run.wait_for("Ready:")
        address = re.search(r"http://127\.0\.0\.1:\d+/", output)
        assert address
        assert address[0] != f"http://127.0.0.1:{port}/"
    name, password = re.search(r"user name +(\S+)\n +password +(\S+)", output).groups()  # type: ignore[union-attr]  # fails if absent
    assert stack.can_sign_in(address[0], name, password)
    assert not stack.can_sign_in(address[0], name, password + "x")
    assert count_logs(folder) == LOGS
    # The audit trail: the new user, the sign-in of the start, and the two of this test.
    trail = "begins_with(account_id, :own)"
    wait_until(lambda: count_logs(folder, trail) >= 4, "the audit trail is stored", every=0.1)
    wait_until(lambda: has_built_digests(folder), "the digests builder has finished a run", every=0.1)
    assert "AKIAREAL" not in (folder / "env").read_text()
    assert (folder / "env").stat().st_mode & 0o077 == 0
    assert (folder / "state.json").stat().st_mode & 0o077 == 0

    # The printed command sends a log.
    line = re.search(r"Send a log:\n +(.+)\n", output)
    assert line
    subprocess.run(["/bin/sh", "-c", line[1]], cwd=ROOT, check=True)
    wait_until(lambda: count_logs(folder) != LOGS, "the log is stored", every=0.1)

    children = run.children()
    assert len(children) >= 5
    for environment in (Path(f"/proc/{pid}/environ") for pid in children):
        assert not environment.exists() or b"AKIAREAL" not in environment.read_bytes()
    assert run.end(signal.SIGINT) == 0
    assert all_exit(children)
    assert "Traceback" not in run.text

    again = start(f"--logs={LOGS}")
    output = again.wait_for("Ready:")
    assert "Sample logs" not in output
    assert password in output
    assert count_logs(folder) == LOGS + 1
    second = Runlocal(tmp_path / "local")
    assert second.process.wait(60) == 1
    assert "Another `runlocal` is running" in second.text

    # A killed `runlocal` leaves no process behind either.
    children = again.children()
    again.end(signal.SIGKILL)
    assert all_exit(children)
    lock_folder(folder).close()


def test_next_start_completes_interrupted_sending(start: Callable[..., Runlocal], tmp_path: Path) -> None:
    run = start("--logs=400")
    run.wait_for("Sample logs")
    time.sleep(0.3)
    children = run.children()
    assert run.end(signal.SIGINT) == 0
    assert all_exit(children)

    run = start("--logs=400")
    run.wait_for("Sample logs")
    time.sleep(0.3)
    children = run.children()
    os.kill(process_with(children, "ministack"), signal.SIGKILL)
    assert run.process.wait(60) == 1
    assert "The SQS emulator exited with status -9" in run.text
    assert "Traceback" not in run.text
    assert all_exit(children)

    run = start("--logs=400")
    run.wait_for("Ready:")
    assert count_logs(tmp_path / "local") == 400
    assert "dead-letter" not in run.text
    assert run.end(signal.SIGTERM) == 0


def test_external_endpoint_is_used_and_dead_child_ends_all(
    start: Callable[..., Runlocal], tmp_path: Path, dynamodb_engine: str
) -> None:
    fresh = start("--logs=0", "--fresh", AWS_ENDPOINT_URL_DYNAMODB=dynamodb_engine)
    assert fresh.process.wait(60) == 1
    assert "--fresh deletes only local data" in fresh.text
    run = start(
        "--logs=0",
        AWS_ENDPOINT_URL_DYNAMODB=dynamodb_engine,
        ALLOWED_HOSTS="logs.example.com",
        SESSIONS_TABLE="OtherSessions",
        DIGESTS_TABLE="",
    )
    output = run.wait_for("Ready:")
    assert f"AWS_ENDPOINT_URL_DYNAMODB is set: using {dynamodb_engine}" in output
    assert not (tmp_path / "local" / "dynamodb.sqlite").exists()
    assert "SESSIONS_TABLE=OtherSessions" in (tmp_path / "local" / "env").read_text()
    children = run.children()
    assert not has_process(children, "logsite.local.schedule")
    os.kill(process_with(children, "ingest.worker"), signal.SIGKILL)
    assert run.process.wait(60) == 1
    assert "The worker exited with status -9" in run.text
    assert "worker started" in run.text.split("The last lines of")[1]
    assert "Traceback" not in run.text
    assert all_exit(children)


def test_unreachable_endpoint_is_reported_without_traceback(start: Callable[..., Runlocal]) -> None:
    run = start("--logs=0", AWS_ENDPOINT_URL_SQS="http://127.0.0.1:9")
    assert run.process.wait(60) == 1
    assert "A part of the stack is unreachable" in run.text
    assert "127.0.0.1:9" in run.text
    assert "Traceback" not in run.text


def test_env_file_names_every_table() -> None:
    sources = [path.read_text() for folder in ("logs", "logsite") for path in (ROOT / folder).rglob("*.py")]
    tables = {name for source in sources for name in re.findall(r'environ\.get\("([A-Z]+_TABLE)"', source)}
    assert {"LOGS_TABLE", "TOKENS_TABLE"} <= tables, "the search misses tables: the test is broken"
    assert tables <= set(SHARED_VARIABLES)


def test_throttled_sign_in_does_not_stop_the_start() -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(429)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Suppress the log line of each request."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        assert not stack.can_sign_in(address, "admin", "changed")
        server.shutdown()


OLD_INDEXES = {
    "AccountIndex": "account_id",
    "TypeIndex": "type",
    "AccountTypeIndex": "account_id#type",
    "SortingIndex": "status",
}


def create_old_table(client: Any) -> None:
    """Create the logs table as it was before UserIndex and ObjectIndex."""
    names = ["id", "created_at", *OLD_INDEXES.values()]
    client.create_table(
        TableName="LogsTable",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": [
                    {"AttributeName": key, "KeyType": "HASH"},
                    {"AttributeName": "created_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["url", "user_id"]},
            }
            for index, key in OLD_INDEXES.items()
        ],
    )


def test_data_of_an_older_version_needs_fresh(start: Callable[..., Runlocal], tmp_path: Path) -> None:
    folder = tmp_path / "local"
    folder.mkdir()
    port = free_port()
    with subprocess.Popen(engine.command(port, folder / "dynamodb.sqlite")) as old_engine:
        wait_until(lambda: accepts_connections(port), "the engine starts")
        create_old_table(boto3.client("dynamodb", endpoint_url=f"http://127.0.0.1:{port}"))
        old_engine.terminate()
    run = start("--logs=0")
    assert run.process.wait(60) == 1
    assert run.text == (
        "CommandError: These tables have other keys or indexes than this version of Logsite: LogsTable. "
        f"The data in {folder} is from another version. To delete it and start over, add --fresh: "
        'make run ARGS="--fresh"\n'
    )
    assert not (folder / "sqs.log").exists()


def test_older_table_elsewhere_is_deleted_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.check_tables(tmp_path, "http://127.0.0.1:9000")
    monkeypatch.setattr(tables, "is_outdated", lambda model: model is UserItem)
    with pytest.raises(stack.StartFailed) as error:
        stack.check_tables(tmp_path, "http://127.0.0.1:9000")
    assert "version of Logsite: LogsiteUsers. Delete them at http://127.0.0.1:9000" in str(error.value)
    assert "--fresh" not in str(error.value)
