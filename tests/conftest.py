"""The embedded engine, fresh tables, and the people who use the site."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest
from django.core.management import call_command

from logs.models import LogItem
from logsite.local import engine


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session", autouse=True)
def dynamodb_engine() -> Iterator[str]:
    """Start one engine in memory for this test process, with all tables; return its endpoint."""
    port = free_port()
    process = subprocess.Popen(engine.command(port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
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
        process.terminate()
        process.wait(10)


@pytest.fixture
def logs_table() -> None:
    """Empty the logs table: made anew, with its indexes."""
    LogItem.delete_table()
    call_command("create_tables", verbosity=0)
