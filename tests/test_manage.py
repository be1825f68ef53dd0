"""`manage.py` with settings that are missing or dangerous."""

import os
import subprocess
import sys
from pathlib import Path

import environ
import pytest

import manage as manage_module
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


def test_env_file_may_begin_with_a_byte_order_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfLOGSITE_FIRST=1\r\nLOGSITE_SECOND=2\r\n")
    environment: dict[str, str] = {}
    monkeypatch.setattr(environ.Env, "ENVIRON", environment)
    monkeypatch.setattr(manage_module, "__file__", str(tmp_path / "manage.py"))
    monkeypatch.setattr(manage_module, "execute_from_command_line", lambda arguments: None)

    manage_module.main()

    assert (environment["LOGSITE_FIRST"], environment["LOGSITE_SECOND"]) == ("1", "2")
