"""`INSTALLED_APPS += ["logs"]` works in a project with its own SQL database, users and admin."""

import os
import subprocess
import sys


def test_host_project_suite_passes() -> None:
    # Django reads its settings once per process, so the tests of the host project run in their own.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST_"))
    }
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "tests/host/suite.py",
            "--ds=tests.host.settings",
            "-p",
            "no:cacheprovider",
        ],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
