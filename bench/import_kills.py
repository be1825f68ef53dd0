"""Kill an import from MariaDB five times beside live traffic, and verify it. Its memory."""

import json
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import corpus, mariadb
from bench.engine import run_engine
from bench.writing import records, write_with_handler
from ingest.imports import presets
from logs.models import LogItem
from logs.storage import tables
from logs.storage.digest_items import DigestItem
from tests.process_tree import children, is_alive, peak_memory

DEFAULT_LOGS = 20_000
KILLS = 5
# Live traffic through the writer: a batch of ten logs, and the seconds between two batches.
BATCH, PAUSE = 10, 0.5


def main(number: int | None) -> None:
    """Print the kills, the verification and the memory. Raise RuntimeError if logs are missing."""
    shape = corpus.make_shape("usual", number or DEFAULT_LOGS)
    with run_engine(), mariadb.run_server() as server, TemporaryDirectory() as folder:
        if server is None:
            return
        for model in (LogItem, DigestItem):
            tables.ensure(model)
        server.insert(corpus.make_logs(shape, range(shape.logs)))
        checkpoint = Path(folder) / "checkpoint.json"
        peaks: dict[str, int] = {}
        with live_traffic() as live:
            for kill in range(KILLS):
                killed = run_until_killed(server.address, checkpoint, shape.logs, kill, peaks)
                print(f"killed {killed} after {rows_done(checkpoint):,} rows", file=sys.stderr)
            last = start("import_logs", server.address, "--checkpoint", str(checkpoint))
            watch(last, checkpoint, shape.logs, peaks)
        print(json.loads(checkpoint.read_text())["counts"])
        stored = sum(1 for _ in LogItem.scan(LogItem.account_id.exists(), attributes_to_get=["id"]))
        if stored != shape.logs + len(live):
            raise RuntimeError(f"{stored:,} logs, not {shape.logs:,} and {len(live):,} of live traffic")
        print(f"{stored:,} logs: {shape.logs:,} of rows, and {len(live):,} of live traffic")
        print(f"peak of memory of import_logs: {in_mebibytes(peaks)}")
        verify(server.address)


@contextmanager
def live_traffic() -> Iterator[list[str]]:
    """Write logs by the Lambda function's handler until the block ends. Yield their message ids."""
    ids: list[str] = []
    is_over = threading.Event()

    def send() -> None:
        while not is_over.wait(PAUSE):
            batch = records(BATCH)
            write_with_handler(batch)
            ids.extend(record["messageId"] for record in batch)

    thread = threading.Thread(target=send)
    # The writer's log lines and metrics.
    logging.disable(logging.INFO)
    with Path(os.devnull).open("w") as discarded, redirect_stdout(discarded):
        thread.start()
        try:
            yield ids
        finally:
            is_over.set()
            thread.join()


def start(command: str, address: str, *options: str) -> "subprocess.Popen[bytes]":
    """Start a command of manage.py, with the processes that are the default."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "logsite.settings",
        "SECRET_KEY": "the key of a benchmark, long enough for production",
        "DEBUG": "off",
    }
    source = [address, "--table", mariadb.TABLE, "--preset", presets.TABLE]
    return subprocess.Popen([sys.executable, "-m", "django", command, *source, *options], env=environment)


def verify(address: str) -> None:
    """Compare all rows with their logs, and print the memory. Raise RuntimeError if they differ."""
    process = start("verify_import", address)
    peaks: dict[str, int] = {}
    while process.poll() is None:
        measure(process.pid, peaks, ("reading process", "comparing process"))
        time.sleep(0.05)
    if process.returncode:
        raise RuntimeError("rows and logs differ")
    print(f"peak of memory of verify_import: {in_mebibytes(peaks)}")


def in_mebibytes(peaks: dict[str, int]) -> str:
    """Return peaks of memory in KiB as a text."""
    return ", ".join(f"{name} {peak / 1024:,.0f} MiB" for name, peak in peaks.items())


def run_until_killed(address: str, checkpoint: Path, rows: int, kill: int, peaks: dict[str, int]) -> str:
    """Kill a process of an import by SIGKILL at a random moment. Return its name."""
    process = start("import_logs", address, "--checkpoint", str(checkpoint))
    step = random.randrange(rows // (8 * KILLS), rows // (2 * KILLS))  # noqa: S311  a moment is no secret
    goal = rows_done(checkpoint) + step
    while rows_done(checkpoint) < goal and process.poll() is None:
        measure(process.pid, peaks)
        time.sleep(0.05)
    time.sleep(random.uniform(0, 0.3))  # noqa: S311  the checkpoint is written once a second
    writers = workers(process.pid)
    is_writer = kill % 2 == 1
    os.kill(random.choice(writers) if is_writer else process.pid, signal.SIGKILL)  # noqa: S311  as above
    if not process.wait():
        raise RuntimeError("the import was not killed")
    while any(map(is_alive, writers)):
        time.sleep(0.01)
    return "a writing process" if is_writer else "the reading process"


def watch(process: "subprocess.Popen[bytes]", checkpoint: Path, rows: int, peaks: dict[str, int]) -> None:
    """Measure the memory until a process ends. Raise RuntimeError if it fails."""
    while process.poll() is None:
        is_reading = rows_done(checkpoint) < rows
        name = "reading process" if is_reading else "reading process with digests"
        measure(process.pid, peaks, (name, "writing process"))
        time.sleep(0.2)
    if process.returncode:
        raise RuntimeError(f"exit status {process.returncode}")


def measure(
    process: int, peaks: dict[str, int], names: tuple[str, str] = ("reading process", "writing process")
) -> None:
    """Keep the peaks of resident memory in KiB, by name.

    They are those of a command's process and of its largest worker.
    """
    name, worker = names
    peaks[name] = max(peaks.get(name, 0), peak_memory(process))
    for each in workers(process):
        peaks[worker] = max(peaks.get(worker, 0), peak_memory(each))


def workers(process: int) -> list[int]:
    """Return the processes that write or compare: the children of a fork server."""
    return [each for server in children(process) for each in children(server)]


def rows_done(checkpoint: Path) -> int:
    """Return the number of rows up to a checkpoint."""
    return int(json.loads(checkpoint.read_text())["counts"]["rows"]) if checkpoint.exists() else 0
