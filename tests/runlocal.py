"""A `manage.py runlocal` as a child process of a test, and its descendants."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3

from logsite.local.ports import free_port
from logsite.local.processes import ROOT


class Runlocal:
    """One `runlocal` on a folder, and everything that it has printed so far."""

    def __init__(self, folder: Path, *arguments: str, port: int = 0, **environment: str) -> None:
        self.output = folder.parent / "output"
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "LOGS_")) and name != "DJANGO_SETTINGS_MODULE"
        }
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "manage.py",
                    "runlocal",
                    f"--folder={folder}",
                    f"--port={port or free_port()}",
                    *arguments,
                ],
                cwd=ROOT,
                env={**inherited, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def text(self) -> str:
        """Return the output so far."""
        return self.output.read_text()

    def wait_for(self, text: str, seconds: float = 60) -> str:
        """Wait until the output holds `text`; return the output so far."""
        deadline = time.monotonic() + seconds
        while text not in self.text:
            assert self.process.poll() is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.05)
        return self.text

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(60)

    def children(self) -> list[int]:
        """Return the ids of all processes below this one."""
        parents = {pid: parent for pid, parent, _, _ in processes()}
        descendants, ahead = [], [self.process.pid]
        while ahead:
            parent = ahead.pop()
            below = [pid for pid, above in parents.items() if above == parent]
            descendants += below
            ahead += below
        return descendants


def processes() -> Iterator[tuple[int, int, str, str]]:
    """Yield id, parent's id, state and command of every process.

    It reads /proc if there is one, because small containers have no `ps`.
    """
    if not Path("/proc/self/stat").exists():
        table = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid=,state=,args="], capture_output=True, text=True, check=True
        ).stdout
        for line in table.splitlines():
            pid, parent, state, command = line.split(None, 3)
            yield int(pid), int(parent), state[0], command
        return
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(") ")[2].split()[:2]
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (FileNotFoundError, ProcessLookupError):
            continue  # the process has exited since
        yield int(folder.name), int(parent), state, command


def process_with(pids: list[int], words: str) -> int:
    """Return the only one of the processes whose command contains these words."""
    (match,) = [pid for pid, _, _, command in processes() if pid in pids and words in command]
    return match


def has_process(pids: list[int], words: str) -> bool:
    """Return whether one of the processes has a command that contains these words."""
    return any(pid in pids and words in command for pid, _, _, command in processes())


def all_exit(pids: list[int]) -> bool:
    """Return whether all of the processes exit within a minute. A zombie has exited."""
    deadline = time.monotonic() + 60
    while any(pid in pids and state != "Z" for pid, _, state, _ in processes()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def dynamodb(folder: Path) -> Any:
    """Return a client of the engine of a running stack."""
    variables = dict(line.split("=", 1) for line in (folder / "env").read_text().splitlines())
    return boto3.client("dynamodb", endpoint_url=variables["AWS_ENDPOINT_URL_DYNAMODB"])


def has_built_digests(folder: Path) -> bool:
    """Return whether the digests builder of a running stack has finished a run."""
    key = {"partition": {"S": "builder"}, "sort": {"S": "state"}}
    item = dynamodb(folder).get_item(TableName="LogsDigests", Key=key).get("Item", {})
    return "written_at" in item


def count_logs(folder: Path, condition: str = "NOT begins_with(account_id, :own)") -> int:
    """Return the number of logs in the table of a running stack, by default without Logsite's own."""
    pages = (
        dynamodb(folder)
        .get_paginator("scan")
        .paginate(
            TableName="LogsTable",
            Select="COUNT",
            FilterExpression=f"attribute_exists(account_id) AND {condition}",
            ExpressionAttributeValues={":own": {"S": "_"}},
        )
    )
    return sum(page["Count"] for page in pages)
