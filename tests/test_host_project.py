"""`INSTALLED_APPS += ["logs"]` works in a project with its own SQL database, users and admin."""

import os
import subprocess
import sys

import pytest
from django.apps.registry import Apps
from django.core.exceptions import ImproperlyConfigured


@pytest.mark.parametrize(
    ("suite", "settings"),
    [
        ("suite", "settings"),
        ("suite", "relabelled"),
        pytest.param("suite_unfold", "with_unfold", marks=pytest.mark.browser),
    ],
)
def test_host_project_suite_passes(suite: str, settings: str) -> None:
    # Django reads its settings once per process, so the tests of the host project run in their own.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST_"))
    }
    command = ["-m", "pytest", "-q", f"tests/host/{suite}.py", f"--ds=tests.host.{settings}"]
    run = subprocess.run(
        [sys.executable, *command, "-p", "no:cacheprovider"], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_two_apps_with_one_label_are_an_error() -> None:
    with pytest.raises(ImproperlyConfigured, match="labels aren't unique, duplicates: logs"):
        Apps(["logs", "tests.host.own_logs.apps.OwnLogsConfig"])
