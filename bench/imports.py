"""The rate of `import_logs` against bare conditional INSERT statements, and its memory."""

import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
from botocore.config import Config

from bench.engine import run_engine
from ingest.imports import items, processes
from ingest.imports.checkpoint import Checkpoint, RefusedRows
from ingest.imports.group_writer import Settings
from ingest.imports.rows import Column, Position, Row
from ingest.imports.run import Run
from logs import times
from logs.models import LogItem
from logs.storage import dynamodb, statements, tables
from logs.storage.digest_items import DigestItem
from logsite.local.samples import samples

PROCESSES = 4
ROUNDS = 3
DEFAULT_LOGS = 20_000
# The import of these numbers of logs must take the same memory.
MEMORY_LOGS = (20_000, 200_000)
STATEMENTS = 25
# 30 days of logs.
START, SECONDS = datetime.now(UTC) - timedelta(days=40), 30 * 86_400


@dataclass
class SampleSource:
    """A source of sample logs, made as they are read."""

    table: str
    number: int
    identity: str = "samples"

    def columns(self) -> list[Column]:
        """Return no columns."""
        return []

    def total(self) -> int:
        """Return the number of rows."""
        return self.number

    def head(self) -> str:
        """Return an empty text."""
        return ""

    def has_head(self, head: str) -> bool:
        """Return true."""
        return True

    def rows(self, after: Position | None = None) -> Iterator[Row]:
        """Yield all rows."""
        base = [dict(log) for log in samples(500, START)]
        for number in range(self.number):
            created_at = START + timedelta(seconds=SECONDS * number / self.number)
            values = {**base[number % len(base)], "created_at": times.to_text(created_at)}
            values.pop("id", None)
            yield Row(str(number), number, values)


@dataclass(frozen=True)
class SameMapping:
    """A mapping whose columns are the fields of a log."""

    def message(self, row: Row) -> dict[str, Any]:
        """Return the values of a row."""
        return row.values

    def columns_by_field(self) -> dict[str, str]:
        """Return no columns."""
        return {}


def import_logs(source: SampleSource, watch: Callable[[], None] = lambda: None) -> float:
    """Import a source with PROCESSES processes. Return the seconds."""
    with TemporaryDirectory() as folder:
        checkpoint = Checkpoint(source.identity, "same", import_id="bench")
        settings = Settings(SameMapping(), source.table, checkpoint.import_id)
        refused = RefusedRows(Path(folder) / "refused", 0, is_own=False)
        with processes.pool(settings, PROCESSES) as executor:
            _warm_up(executor)
            start = time.perf_counter()
            run = Run(source, checkpoint, executor, 2 * PROCESSES)
            run.report = lambda rows: watch()
            run.write(Path(folder) / "checkpoint", refused)
            seconds = time.perf_counter() - start
    if run.checkpoint.counts.written != source.number:
        raise RuntimeError(f"{run.checkpoint.counts} of {source.number} logs")
    return seconds


def insert_logs(source: SampleSource) -> float:
    """Insert the items of a source by boto3 with PROCESSES processes. Return the seconds."""
    now = datetime.now(UTC)
    raw_items = [
        dynamodb.serialize(items.to_item(row, row.values, source.table, now)) for row in source.rows()
    ]
    batches = [raw_items[start : start + STATEMENTS] for start in range(0, len(raw_items), STATEMENTS)]
    context = multiprocessing.get_context(processes.START_METHOD)
    with ProcessPoolExecutor(PROCESSES, context, _start) as executor:
        _warm_up(executor)
        start = time.perf_counter()
        failures = sum(executor.map(_insert, batches, chunksize=4))
        seconds = time.perf_counter() - start
    if failures:
        raise RuntimeError(f"{failures} INSERT statements failed")
    return seconds


_clients: list[Any] = []


def _start() -> None:
    _clients[:] = [boto3.client("dynamodb", config=Config(max_pool_connections=1))]


def _insert(raw_items: Sequence[dict[str, Any]]) -> int:
    inserts = [statements.insert(LogItem.Meta.table_name, item) for item in raw_items]
    response = _clients[0].batch_execute_statement(Statements=inserts, ReturnConsumedCapacity="TOTAL")
    return sum("Error" in each for each in response["Responses"])


def _warm_up(executor: Any) -> None:
    """Wait until all processes have started."""
    for task in [executor.submit(time.sleep, 1.5) for _ in range(PROCESSES)]:
        task.result()


def compare(number: int) -> None:
    """Print the rates, in alternate rounds, each on empty tables."""
    rates: dict[str, list[float]] = {"INSERT": [], "import_logs": []}
    for _ in range(ROUNDS):
        for name, write in (("INSERT", insert_logs), ("import_logs", import_logs)):
            _empty_tables()
            rates[name].append(number / write(SampleSource(name, number)))
    bare, imported = (statistics.median(each) for each in rates.values())
    print(f"\n{number:,} logs with {PROCESSES} processes, logs per second, median of {ROUNDS} rounds")
    print(
        f"bare conditional INSERTs {bare:8,.0f}   import_logs {imported:8,.0f}   ratio {imported / bare:.2f}"
    )


def measure_memory() -> None:
    """Print the peak memory of the processes for different numbers of logs."""
    print("\nPeak of resident memory in MiB: the reading process, and the largest writing process")
    for number in MEMORY_LOGS:
        _empty_tables()
        peaks = {"reader": 0.0, "writer": 0.0}

        def watch(peaks: dict[str, float] = peaks) -> None:
            peaks["reader"] = max(peaks["reader"], _resident("self"))
            for child in multiprocessing.active_children():
                peaks["writer"] = max(peaks["writer"], _resident(str(child.pid)))

        import_logs(SampleSource("memory", number), watch)
        print(f"{number:9,} logs {peaks['reader']:8.0f} {peaks['writer']:8.0f}")


def _resident(process: str) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def _empty_tables() -> None:
    """Create the tables again. The processes of all rounds have the engine of the first one."""
    for model in (LogItem, DigestItem):
        if model.exists():
            model.delete_table()
        tables.ensure(model)


def main(number: int | None) -> None:
    """Print the rates and the memory."""
    with run_engine():
        compare(number or DEFAULT_LOGS)
        measure_memory()
