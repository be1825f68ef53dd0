"""Fixtures of all tests: the embedded engine, empty tables, users and their clients."""

from __future__ import annotations

import functools
import gc
import os
import shutil
import subprocess
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import botocore.session
import pytest
from botocore.hooks import EventAliaser
from botocore.loaders import create_loader
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.test.testcases import LiveServerThread
from xdist.scheduler import LoadFileScheduling

from ingest.wire import sqs
from ingest.writing import inserts
from logs.digests import state
from logs.models import LogItem
from logs.storage import digest_items, dynamodb
from logs.storage.digest_items import DigestItem
from logsite.local import engine
from logsite.local.ports import accepts_connections, free_port
from tests import mariadb
from tests.digests import empty_digests_table
from tests.engine_transport import EngineTransport
from tests.query_validation import strict_queries
from tests.switched_sqs import SwitchedSqs
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    # Not at run time: tests/host has Django's own users.
    from logsite.accounts.models import User


# Each client would read and parse the models of its service, which takes four times as long as all the rest.
botocore.session.create_loader = functools.cache(create_loader)
# Each session would translate the names of all events.
EventAliaser._alias_event_name = staticmethod(  # type: ignore[attr-defined]  # private
    functools.cache(EventAliaser(None)._alias_event_name)  # type: ignore[arg-type,attr-defined]
)

# A package for Lambda needs up to 1 GiB.
PACKAGE_BYTES = 2**30


# All files of a prefix run in one process, because they share a browser, a deployment or a MySQL server.
SHARED = ("tests/browser/", "tests/e2e/", "tests/test_mysql_")


class SharedServers(LoadFileScheduling):
    """Distribution by file, except for the files of SHARED."""

    def _split_scope(self, nodeid: str) -> str:
        shared = next(filter(nodeid.startswith, SHARED), None)
        return shared or super()._split_scope(nodeid)


# These take longest. They begin first, so that all processes end at about the same time.
LONGEST_FILES = (
    *SHARED,
    "tests/test_exactly_once.py",
    "tests/test_writer_memory.py",
    "tests/test_runlocal.py",
)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Leave the collected tests out of garbage collections, which would take a tenth of the time.

    The collections are also rarer than Python's.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(10_000, 20, 20)
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move the longest files to the beginning."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST_FILES))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print a line at the end if the tests with MySQL were skipped."""
    if any(
        mariadb.NOT_TESTED in str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])
    ):
        terminalreporter.write_line(mariadb.NOT_TESTED, yellow=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Return SharedServers for `--dist loadfile`, which `make test` uses."""
    return SharedServers(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session", autouse=True)
def strictness() -> Iterator[None]:
    """Reject queries that only the embedded engine accepts."""
    with strict_queries():
        yield


@pytest.fixture(scope="session", autouse=True)
def dynamodb_engine() -> Iterator[str]:
    """Start one engine in memory for this test process; return its endpoint.

    It has all tables. TEST_DYNAMODB_ENDPOINT names another engine instead: an empty DynamoDB Local, for one
    process (`-n 0`).
    """
    if external := os.environ.get("TEST_DYNAMODB_ENDPOINT"):
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = external
        call_command("create_tables", verbosity=0)
        yield external
        return
    port = free_port()
    process = subprocess.Popen(engine.command(port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def is_reachable() -> bool:
        assert process.poll() is None, "the engine exited"
        return accepts_connections(port)

    try:
        wait_until(is_reachable, "the engine accepts connections", every=0.02)
        endpoint = f"http://127.0.0.1:{port}"
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = endpoint
        call_command("create_tables", verbosity=0)
        transport = EngineTransport(endpoint)
        transport.register(dynamodb.shared_connection().client)
        yield endpoint
        transport.close()
    finally:
        process.kill()  # its data is in memory
        process.wait(10)


@pytest.fixture(scope="session", autouse=True)
def state_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep the state of the commands out of the home folder."""
    folder = tmp_path_factory.mktemp("state")
    os.environ["XDG_STATE_HOME"] = str(folder)
    return folder


# One request deletes them.
MAX_DELETED = 25


def empty_logs_table() -> None:
    """Delete the logs of the test before.

    Most tests begin with it: three requests for few logs, otherwise a new table with its indexes and its TTL.
    If a builder or a deletion was at work, the table of digests is emptied too.
    """
    cache.clear()  # the freshness of these logs
    if digest_items.is_on() and next(DigestItem.query(state.PARTITION, limit=1), None):
        # Digests of other logs would hide the logs of the test.
        empty_digests_table()
    ids = [item.id for item in LogItem.scan(limit=MAX_DELETED + 1, attributes_to_get=["id"])]
    if len(ids) <= MAX_DELETED:
        with LogItem.batch_write() as batch:
            for log_id in ids:
                batch.delete(LogItem(log_id))
        return
    LogItem.delete_table()
    LogItem.create_table()
    dynamodb.enable_ttl(LogItem, LogItem.expires_at.attr_name)


@pytest.fixture
def logs_table() -> None:
    """Empty the logs table."""
    empty_logs_table()


@pytest.fixture
def digests_table(logs_table: None) -> Iterator[None]:
    """Empty the logs table, and the table of digests before and after the test."""
    empty_digests_table()
    yield
    empty_digests_table()


@pytest.fixture
def conditional_puts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the writer use conditional puts, as with an engine that has no INSERT statements."""
    monkeypatch.setattr(inserts.ENGINE, "has_inserts", False)


@pytest.fixture(params=[True, False], ids=["inserts", "puts"])
def each_way_of_writing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a test with INSERT statements, and again with conditional puts."""
    monkeypatch.setattr(inserts.ENGINE, "has_inserts", request.param)


@pytest.fixture(scope="session")
def fast_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder, in memory if possible. A package for Lambda has thousands of files."""
    memory = Path("/dev/shm")  # noqa: S108  the folder inside it is unique
    if (
        os.access(memory, os.W_OK)
        and not os.statvfs(memory).f_flag & os.ST_NOEXEC
        and shutil.disk_usage(memory).free > PACKAGE_BYTES
    ):
        with TemporaryDirectory(dir=memory, prefix="logsite-tests-") as folder:
            yield Path(folder)
    else:
        yield tmp_path_factory.mktemp("fast")


@pytest.fixture
def switched(monkeypatch: pytest.MonkeyPatch) -> SwitchedSqs:
    """Replace SQS by a queue that a test can switch off."""
    queue = SwitchedSqs()
    monkeypatch.setattr(sqs, "client", lambda **kwargs: queue)
    return queue


PASSWORD = "a long and quiet sentence"


def make_user(role: str, **fields: Any) -> User:
    """Create a user with PASSWORD and a unique name."""
    users = get_user_model().objects
    return users.create_user(f"{role}-{uuid4().hex[:12]}", f"{role}@example.com", PASSWORD, **fields)


def client_of(user: User) -> Client:
    """Return a client that is signed in as the user, with the one request that stores the session."""
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = user.username
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    return client


@pytest.fixture
def superuser() -> User:
    """Return a user with every permission."""
    return make_user("superuser", is_staff=True, is_superuser=True)


@pytest.fixture
def viewer() -> User:
    """Return a staff user who can read the logs."""
    return make_user("viewer", is_staff=True, permissions={"logs.view_log"})


@pytest.fixture
def staff() -> User:
    """Return a staff user who cannot read the logs."""
    return make_user("staff", is_staff=True)


@pytest.fixture
def stranger() -> User:
    """Return a user without staff status."""
    return make_user("stranger")


@pytest.fixture
def superuser_client(superuser: User) -> Client:
    """Return a client of the superuser."""
    return client_of(superuser)


@pytest.fixture
def viewer_client(viewer: User) -> Client:
    """Return a client of the viewer."""
    return client_of(viewer)


@pytest.fixture
def staff_client(staff: User) -> Client:
    """Return a client of the staff user without logs."""
    return client_of(staff)


@pytest.fixture
def stranger_client(stranger: User) -> Client:
    """Return a client of the user without staff status."""
    return client_of(stranger)


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """Serve the site on a free port. Yield its URL.

    pytest-django's `live_server` needs an SQL database when it stops.
    """
    thread = LiveServerThread("127.0.0.1", StaticFilesHandler)
    thread.daemon = True
    thread.start()
    assert thread.is_ready.wait(60)
    assert not thread.error
    yield f"http://127.0.0.1:{thread.port}"
    thread.terminate()
