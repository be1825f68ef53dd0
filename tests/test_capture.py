"""Capture without a call in every view: the suites of the host project with the real packages."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize("package", ["auditlog", "easyaudit"])
def test_host_project_captures(package: str) -> None:
    # Django reads its settings once per process, so each suite runs in its own.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST_"))
    }
    command = ["-m", "pytest", "-q", f"tests/host/suite_{package}.py", f"--ds=tests.host.with_{package}"]
    run = subprocess.run(
        [sys.executable, *command, "-p", "no:cacheprovider"], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr
