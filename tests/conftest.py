"""The embedded engine, fresh tables, and the people who use the site."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client
from xdist.scheduler import LoadFileScheduling

from ingest.wire import sqs
from logs.models import LogItem
from logsite.local import engine
from tests.query_validation import strict_queries
from tests.switched_sqs import SwitchedSqs

if TYPE_CHECKING:
    from collections.abc import Iterator

    # Not in tests/host, where the users are Django's own.
    from logsite.accounts.models import User


ROOM_FOR_PACKAGES = 2**30


class OneDeployment(LoadFileScheduling):
    """A process takes a whole file, and one process all files of tests/e2e, which share a deployment."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/e2e" if nodeid.startswith("tests/e2e/") else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Let `--dist loadfile`, which `make test` says, keep tests/e2e together."""
    return OneDeployment(config, log) if config.getoption("dist") == "loadfile" else None


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session", autouse=True)
def strictness() -> Iterator[None]:
    """Refuse what only the embedded engine takes."""
    with strict_queries():
        yield


@pytest.fixture(scope="session", autouse=True)
def dynamodb_engine() -> Iterator[str]:
    """Start one engine in memory for this test process, with all tables; return its endpoint.

    With TEST_DYNAMODB_ENDPOINT it is that one: an empty DynamoDB Local, for one process (`-n 0`).
    """
    if given := os.environ.get("TEST_DYNAMODB_ENDPOINT"):
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = given
        call_command("create_tables", verbosity=0)
        yield given
        return
    port = free_port()
    process = subprocess.Popen(engine.command(port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, "the engine died"
                assert time.monotonic() < deadline, "the engine does not answer"
                time.sleep(0.02)
        endpoint = f"http://127.0.0.1:{port}"
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = endpoint
        call_command("create_tables", verbosity=0)
        yield endpoint
    finally:
        process.kill()  # its data is in memory
        process.wait(10)


def empty_logs_table() -> None:
    """Make the logs table anew, with its indexes."""
    LogItem.delete_table()
    call_command("create_tables", verbosity=0)


@pytest.fixture
def logs_table() -> None:
    """Empty the logs table."""
    empty_logs_table()


@pytest.fixture(scope="session")
def fast_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a folder in memory, where there is room: a package for Lambda is thousands of files."""
    memory = Path("/dev/shm")  # noqa: S108  a folder of its own is made in it
    if (
        os.access(memory, os.W_OK)
        and not os.statvfs(memory).f_flag & os.ST_NOEXEC
        and shutil.disk_usage(memory).free > ROOM_FOR_PACKAGES
    ):
        with TemporaryDirectory(dir=memory, prefix="logsite-tests-") as folder:
            yield Path(folder)
    else:
        yield tmp_path_factory.mktemp("fast")


@pytest.fixture
def switched(monkeypatch: pytest.MonkeyPatch) -> SwitchedSqs:
    """Put a queue that can be switched off in SQS's place."""
    made = SwitchedSqs()
    monkeypatch.setattr(sqs, "client", lambda **kwargs: made)
    return made


PASSWORD = "a long and quiet sentence"


def a_user(role: str, **fields: Any) -> User:
    """Make a user with PASSWORD, under a name that no other test has."""
    users = get_user_model().objects
    return users.create_user(f"{role}-{uuid4().hex[:12]}", f"{role}@example.com", PASSWORD, **fields)


def signed_in(user: User) -> Client:
    """Return a browser in which the user has signed in."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def superuser() -> User:
    """Someone who may do everything."""
    return a_user("superuser", is_staff=True, is_superuser=True)


@pytest.fixture
def viewer() -> User:
    """Staff who may read the logs."""
    return a_user("viewer", is_staff=True, permissions={"logs.view_log"})


@pytest.fixture
def staff() -> User:
    """Staff who may not read the logs."""
    return a_user("staff", is_staff=True)


@pytest.fixture
def stranger() -> User:
    """Someone with an account and nothing else."""
    return a_user("stranger")


@pytest.fixture
def superuser_client(superuser: User) -> Client:
    """The superuser's browser."""
    return signed_in(superuser)


@pytest.fixture
def viewer_client(viewer: User) -> Client:
    """The viewer's browser."""
    return signed_in(viewer)


@pytest.fixture
def staff_client(staff: User) -> Client:
    """The browser of staff without logs."""
    return signed_in(staff)


@pytest.fixture
def stranger_client(stranger: User) -> Client:
    """The stranger's browser."""
    return signed_in(stranger)
