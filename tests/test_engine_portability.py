"""Reading is exact on an engine that orders and validates differently: MiniStack."""

import os
import subprocess
import sys
import time
from pathlib import Path

from logsite.local import queues
from logsite.local.ports import accepts_connections, free_port
from logsite.local.processes import ROOT, Child


def test_pagination_is_exact_on_ministack(tmp_path: Path) -> None:
    port = free_port()
    environment = {**queues.environment(port, tmp_path), "SERVICES": "dynamodb"}
    engine = Child("DynamoDB of MiniStack", queues.command(), environment, tmp_path / "log", stop_timeout=0.3)
    try:
        deadline = time.monotonic() + 60
        while not accepts_connections(port):
            assert not engine.has_exited, engine.report()
            assert time.monotonic() < deadline, engine.report()
            time.sleep(0.05)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        # MiniStack scans its tables, so the test of 20,000 logs takes too long.
        walks = ["tests/test_pagination.py", "-k", "not search"]
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *walks],
            cwd=ROOT,
            env=inherited | {"TEST_DYNAMODB_ENDPOINT": f"http://127.0.0.1:{port}"},
            capture_output=True,
            text=True,
        )
    finally:
        engine.stop()
    assert run.returncode == 0, run.stdout + run.stderr
    assert " passed" in run.stdout
