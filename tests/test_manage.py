"""`manage.py` with settings that are missing or dangerous."""

import os
import subprocess
import sys

import pytest

from logsite.local.processes import ROOT


def manage(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `manage.py` with only these variables and PATH."""
    return subprocess.run(
        [sys.executable, "manage.py", command],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(("allowed", "status"), [("", 1), ("1", 0)])
def test_debug_without_an_endpoint_refuses_aws(allowed: str, status: int) -> None:
    run = manage("check", DEBUG="on", SECRET_KEY="x", LOGS_ALLOW_AWS=allowed)
    assert run.returncode == status
    assert ("would talk to AWS itself" in run.stderr) is bool(status)
    assert "Traceback" not in run.stderr


def test_missing_setting_is_reported_in_one_line() -> None:
    for command in ("check", "runserver", "create_tables"):
        run = manage(command)
        assert run.returncode == 1
        assert run.stderr == (
            "Settings: Set SECRET_KEY, "
            "or SECRET_KEY_PARAMETER to the name of the SSM parameter that holds it.\n"
        )
