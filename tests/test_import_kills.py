"""Processes of an import are killed at any moment. Nothing is lost, and nothing is there twice."""

import json
import os
import signal
from pathlib import Path

import pytest

from ingest.imports import processes, run
from ingest.imports.checkpoint import Checkpoint, RefusedRows
from ingest.imports.group_writer import Settings
from ingest.imports.items import derived_id
from logs.storage import dynamodb
from tests.forks import start_child, wait_for
from tests.imports import ListSource, SameMapping, build_digests, make_row, refused_path
from tests.items import logs
from tests.process_tree import children, is_alive
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("digests_table")
ROWS, REFUSED = 600, 50
# Slow enough to be killed in the middle.
UNITS_PER_SECOND = 2_500
ENTRIES = [make_row(each, type="" if each % (ROWS // REFUSED) == 0 else "login") for each in range(ROWS)]


def run_import(folder: Path) -> None:
    """Run the import in a process of its own, with two writing processes."""
    dynamodb.shared_connection.cache_clear()  # its connections are those of the tests
    path = folder / "checkpoint.json"
    is_new = not path.exists()
    checkpoint = Checkpoint.load(path, Checkpoint("list", "same", import_id="list"))
    refused = RefusedRows(refused_path(folder), checkpoint.refused_bytes, is_own=not is_new)
    settings = Settings(SameMapping(), "audit", checkpoint.import_id, UNITS_PER_SECOND)
    with processes.pool(settings, 2) as executor:
        run.Run(ListSource(ENTRIES), checkpoint, executor, 4).write(path, refused)


def rows_done(folder: Path) -> int:
    """Return the number of rows up to the checkpoint."""
    path = folder / "checkpoint.json"
    return json.loads(path.read_text())["counts"]["rows"] if path.exists() else 0


def test_killed_import_loses_and_repeats_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A new server for each run would take seconds. The child has no other threads when it forks.
    monkeypatch.setattr(processes, "START_METHOD", "fork")
    monkeypatch.setattr(run, "GROUP_ROWS", 10)
    monkeypatch.setattr(run, "SECONDS_BETWEEN_CHECKPOINTS", 0)
    for number in range(5):
        reached = rows_done(tmp_path)
        parent = start_child(lambda: run_import(tmp_path))
        wait_until(lambda goal=reached + 60: rows_done(tmp_path) >= goal, every=0.005)  # type: ignore[misc]
        writers = children(parent)
        assert len(writers) == 2
        # The parent, or one of the writing processes.
        os.kill(writers[0] if number in (1, 3) else parent, signal.SIGKILL)
        assert wait_for(parent) != 0
        wait_until(lambda pids=writers: not any(map(is_alive, pids)))  # type: ignore[misc]
        assert reached < rows_done(tmp_path) < ROWS
    assert wait_for(start_child(lambda: run_import(tmp_path))) == 0
    assert sorted(item.id for item in logs()) == sorted(
        derived_id("audit", row.key) for row in ENTRIES if row.values["type"]
    )
    refused = [json.loads(line)["row"] for line in refused_path(tmp_path).read_text().splitlines()]
    assert refused == [str(each) for each in range(0, ROWS, ROWS // REFUSED)]
    checkpoint = Checkpoint.load(tmp_path / "checkpoint.json", Checkpoint("list", "same", import_id="list"))
    assert checkpoint.counts.rows == ROWS
    assert checkpoint.counts.written + checkpoint.counts.existing == ROWS - REFUSED
    assert build_digests(checkpoint) == ROWS - REFUSED
