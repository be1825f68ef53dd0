"""Exports in the background, whose workers are killed, and hostile CSV cells."""

import csv
import gzip
import json
import multiprocessing
import re
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import corpus
from bench.engine import run_engine
from bench.tables import create_sorting_table, fill
from logs.exports import jobs, worker
from logs.exports.cells import FORMULA, SEPARATORS
from logs.exports.files import Folder
from logs.exports.jobs import State
from logs.exports.spec import Spec
from logs.filters import LogFilter, Order
from logs.models import ROW_ATTRIBUTES
from logs.plan import make_plan
from logs.storage import tables
from logs.storage.export_items import ExportItem
from tests.items import make_item, store

DEFAULT_LOGS, CSV_LOGS = 300_000, 50_000
OWNER = "bench"
# The shares of the rows at which a worker is killed.
KILLS = (1 / 3, 2 / 3)
HOSTILE = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    '"=1"',
    "＝1",
    "\u202e=1",
    "a;=1",
    "a|@b",
    "line\nline",
    'quote "x", comma',
    "Grüße 👩‍💻",
    "x" * 900,
]


def work(export_id: str, folder: str) -> None:
    """Work on an export, in a process of its own."""
    worker.run(OWNER, export_id, Folder(Path(folder)))


def memory(pid: int) -> float:
    """Return the memory of a process in MB."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return 0.0
    match = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
    return int(match[1]) / 1024 if match else 0.0


def run(spec: Spec, folder: str, rows: int, kills: tuple[float, ...] = ()) -> ExportItem:
    """Run an export and return its item. Its workers are killed at shares of the rows."""
    item = jobs.create(OWNER, spec, "bench.gz")
    pending, start = [*kills], time.monotonic()
    samples: list[tuple[int, float]] = []
    while item.state == State.RUNNING:
        process = multiprocessing.get_context("spawn").Process(target=work, args=(item.id, folder))
        process.start()
        while process.is_alive():
            time.sleep(0.2)
            item = ExportItem.get(item.owner, item.id)
            samples.append((int(item.rows), memory(process.pid or 0)))
            if pending and item.rows >= rows * pending[0]:
                process.kill()
                print(f"killed at {int(item.rows):,} rows")
                pending.pop(0)
                # Without waiting for a minute.
                item.update(actions=[ExportItem.leased_until.set(0)])
        process.join()
        item = ExportItem.get(item.owner, item.id)
    seconds = time.monotonic() - start
    print(f"{item.state}: {int(item.rows):,} rows, {int(item.size):,} bytes, {seconds:.0f} s")
    print(f"{len(jobs.part_keys(item))} parts by {int(item.claim)} workers")
    for part in range(4):
        low, high = rows * part // 4, rows * (part + 1) // 4
        peak = max((megabytes for count, megabytes in samples if low < count <= high), default=0)
        print(f"memory of the workers in quarter {part + 1} of the rows: {peak:.0f} MB at most")
    return item


def lines(folder: str, item: ExportItem) -> Iterator[str]:
    """Yield the lines of an export's file."""
    with gzip.open(Path(folder) / jobs.file_key(item), "rt", encoding="utf-8", newline="") as file:
        yield from file


def check_payloads(folder: str, item: ExportItem, shape: corpus.Shape) -> None:
    """Compare each row with the log that was sent."""
    rows = (json.loads(line) for line in lines(folder, item))
    for log, row in zip(corpus.make_logs(shape, range(shape.logs)), islice(rows, shape.logs), strict=True):
        if (row["id"], row["payload"]) != (log["id"], log["payload"]):
            raise RuntimeError(f"the log {log['id']} is not at its place, or has another payload")
    if next(rows)["_logsite"] != {"rows": shape.logs, "complete": True, "cut": None, "next": None}:
        raise RuntimeError("the last line is wrong")
    print(f"{shape.logs:,} logs are in the file, each once, in order, with their payloads")


def hostile_values(number: int) -> dict[str, Any]:
    """Return texts of a log that a spreadsheet could execute."""
    names = ("url", "sub_type", "user_name", "account_name", "summary", "submitter_city")
    return {name: HOSTILE[(number + place) % len(HOSTILE)] for place, name in enumerate(names)}


def check_csv(folder: str, item: ExportItem) -> None:
    """Read the file back, and compare each cell with the table."""
    header, *rows = csv.reader(lines(folder, item))
    if header != ["\ufeff" + ROW_ATTRIBUTES[0], *ROW_ATTRIBUTES[1:]] or len(rows) != CSV_LOGS:
        raise RuntimeError("the header or the number of rows is wrong")
    for number, row in enumerate(rows):
        log = make_item(number, **hostile_values(number))
        for name, cell in zip(ROW_ATTRIBUTES[1:], row[1:], strict=True):
            value = getattr(log, name)
            if cell.replace("'", "") != ("" if value is None else str(value)):
                raise RuntimeError(f"{name} of row {number} is {cell!r}, not {value!r}")
            if any(part.strip('" \u202e').startswith((*FORMULA, "＝")) for part in SEPARATORS.split(cell)):
                raise RuntimeError(f"{name} of row {number} is a formula: {cell!r}")
    print(f"{len(rows):,} rows of the CSV file equal the table, and no cell is a formula")


def main(logs: int | None) -> None:
    """Export logs with payloads, kill the workers twice, and export hostile logs as CSV."""
    shape = corpus.make_shape("usual", logs or DEFAULT_LOGS)
    everything = make_plan(LogFilter(order=Order.OLDEST))
    with run_engine(), TemporaryDirectory() as folder:
        fill(shape, create_sorting_table)
        tables.ensure(ExportItem)
        item = run(Spec(everything, "ndjson", payloads=True), folder, shape.logs, KILLS)
        check_payloads(folder, item, shape)
    with run_engine(), TemporaryDirectory() as folder:
        create_sorting_table()
        tables.ensure(ExportItem)
        store(make_item(number, **hostile_values(number)) for number in range(CSV_LOGS))
        check_csv(folder, run(Spec(everything, "csv"), folder, CSV_LOGS))
