"""The commands that `make` runs for a deployment, from the words that the README gives."""

import os
import shlex
import subprocess

import pytest

from logsite.local.processes import ROOT


def make(*words: str) -> "subprocess.CompletedProcess[str]":
    """Ask make what it would run; nothing of the `make test` above us, such as its ARGS, gets through."""
    return subprocess.run(
        ["make", "--dry-run", "--no-print-directory", *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("words", "command"),
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
def test_make_passes_on_what_it_was_told(words: list[str], command: str) -> None:
    run = make(*words)
    assert run.returncode == 0, run.stderr
    last = run.stdout.splitlines()[-1]
    assert shlex.split(last)[1:] == ["-m", "deploy", *shlex.split(command)]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["undeploy"], "Say of which stage: make undeploy STAGE=dev"),
        (["rollback"], "Say of which stage: make rollback STAGE=dev"),
        (["undeploy", "STAGE=dev", "DELETE_DATA=true"], "DELETE_DATA must be yes, or left out"),
    ],
)
def test_what_takes_something_away_must_be_said_whole(words: list[str], told: str) -> None:
    run = make(*words)
    assert run.returncode == 2
    assert told in run.stderr
    assert "deploy" not in run.stdout
