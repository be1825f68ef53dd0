"""The deploy commands that `make` runs for the variables in the docs."""

import os
import shlex
import subprocess

import pytest

from logsite.local.processes import ROOT


def make(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run make with --dry-run. The environment excludes variables of an outer `make test`, such as ARGS."""
    return subprocess.run(
        ["make", "--dry-run", "--no-print-directory", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["deploy", "STAGE=dev"], "up --stage dev --keep-days '' --python '' --arch ''"),
        (
            [
                "deploy",
                "STAGE=dev",
                "KEEP=365",
                "PYTHON=3.13",
                "ARCH=arm64",
                "SET=AlarmEmail=a@b.eu A=1",
            ],
            "up --stage dev --keep-days 365 --python 3.13 --arch arm64 --set AlarmEmail=a@b.eu --set A=1",
        ),
        (["undeploy", "STAGE=production"], "down --stage production --confirm ''"),
        (
            ["undeploy", "STAGE=dev", "DELETE_DATA=yes", "CONFIRM=dev"],
            "down --stage dev --delete-data --confirm dev",
        ),
        (["rollback", "STAGE=dev", "ARGS=--versions 2"], "rollback --stage dev --versions 2"),
        (["deploy-status", "STAGE=dev"], "status --stage dev"),
        (["tail", "STAGE=dev"], "tail --stage dev"),
        (["admin", "STAGE=dev"], "admin --stage dev"),
        (["manage", "STAGE=dev", "ARGS=doctor --json"], "manage --stage dev -- doctor --json"),
    ],
)
def test_variables_become_options(arguments: list[str], command: str) -> None:
    run = make(*arguments)
    assert run.returncode == 0, run.stderr
    last = run.stdout.splitlines()[-1]
    assert shlex.split(last)[1:] == ["-m", "deploy", *shlex.split(command)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["undeploy"], "STAGE is missing. Run: make undeploy STAGE=dev"),
        (["rollback"], "STAGE is missing. Run: make rollback STAGE=dev"),
        (["undeploy", "STAGE=dev", "DELETE_DATA=true"], "DELETE_DATA must be yes or empty, not true"),
    ],
)
def test_destructive_targets_need_stage_and_valid_values(arguments: list[str], message: str) -> None:
    run = make(*arguments)
    assert run.returncode == 2
    assert message in run.stderr
    assert "deploy" not in run.stdout
