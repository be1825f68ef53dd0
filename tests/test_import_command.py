"""`manage.py import_logs`: its options, its output, and Ctrl-C."""

import json
import os
import signal
import threading
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ingest.cli.checkpoint import lock
from ingest.imports.run import Run
from logs.digests import builder
from logs.storage import endpoints
from logsite.management.commands import import_logs
from tests.imports import make_row
from tests.items import logs

pytestmark = pytest.mark.usefixtures("digests_table")
ROWS = 120


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a file with ROWS rows, one of which is refused."""
    path = tmp_path / "audit.ndjson"
    rows = [make_row(each, type="" if each == 7 else "login").values for each in range(ROWS)]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def run(source: Path, *options: str) -> tuple[str, str]:
    """Return the output of the command, and its error."""
    output, error = StringIO(), ""
    try:
        call_command("import_logs", str(source), "--processes", "2", *options, stdout=output)
    except CommandError as failure:
        error = str(failure)
    return output.getvalue(), error


def test_import_logs_imports_a_file_once(source: Path, tmp_path: Path) -> None:
    refused = tmp_path / "refused.ndjson"
    options = ("--checkpoint", str(tmp_path / "checkpoint.json"), "--refused", str(refused))
    assert "login" in run(source, "--inspect")[0]
    output, error = run(source, "--dry-run")
    assert "Can be imported: 119," in output
    assert "1: type: " in output
    assert not error
    assert logs() == []

    output, error = run(source, *options)
    assert "Rows: 120. Written: 119, in the table already: 0" in output
    assert "Built 1 segments of 119 logs." in output
    assert error == f"Refused rows: 1. Their reasons: {refused}"
    assert json.loads(refused.read_text())["row"] == "8"
    assert builder.build().logs == 0
    # The checkpoint is at the end.
    output, _ = run(source, *options)
    assert f"Continues after 120 rows, at the checkpoint {options[1]}." in output
    assert "Rows: 120. Written: 119," in output
    output, _ = run(source, *options, "--restart")
    assert "Rows: 120. Written: 0, in the table already: 119" in output
    assert len(refused.read_text().splitlines()) == 1
    assert len(logs()) == 119

    assert "belongs to another mapping" in run(source, *options, "--time-zone", "Europe/Berlin")[1]
    with lock(tmp_path / "checkpoint.json", "import_logs", ""):
        assert f"Another import_logs (process {os.getpid()}) imports audit" in run(source, *options)[1]
    assert "must be a whole number" in run(source, "--processes", "0")[1]


def test_replaced_file_and_foreign_file_are_refused(source: Path, tmp_path: Path) -> None:
    options = ("--checkpoint", str(tmp_path / "checkpoint.json"))
    run(source, *options)
    notes = tmp_path / "notes.txt"
    notes.write_text("mine")
    for restart in ((), ("--restart",)):
        error = run(source, *options, *restart, "--refused", str(notes))[1]
        assert "Delete it, or choose another file" in error
    assert notes.read_text() == "mine"

    text = source.read_text()
    source.write_text(text + text.splitlines()[-1] + "\n")
    assert "Rows: 121." in run(source, *options)[0]
    source.write_text(text.replace("login", "logout"))
    assert "begins otherwise than the file of the checkpoint" in run(source, *options)[1]
    assert "Rows: 120. Written: 0" in run(source, *options, "--restart")[0]


def test_moved_checkpoint_ends_its_marks(source: Path, tmp_path: Path) -> None:
    refused = ("--refused", str(tmp_path / "refused.ndjson"))
    run(source, "--checkpoint", str(tmp_path / "checkpoint.json"), *refused)
    moved = (tmp_path / "checkpoint.json").rename(tmp_path / "moved.json")
    with source.open("a") as file:
        file.write(json.dumps(make_row(ROWS).values) + "\n")
    output, _ = run(source, "--checkpoint", str(moved), *refused)
    assert "Rows: 121. Written: 120," in output
    assert "Built 1 segments of 120 logs." in output


def test_ctrl_c_keeps_the_checkpoint(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Run.write

    def interrupted(self: Any, *args: Any) -> None:
        # Behind the first groups, which take two seconds of write units.
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        write(self, *args)

    monkeypatch.setattr(Run, "write", interrupted)
    monkeypatch.setattr("ingest.imports.run.GROUP_ROWS", 5)
    options = ("--checkpoint", str(tmp_path / "checkpoint.json"), "--write-units", "300")
    before = signal.getsignal(signal.SIGINT)
    output, error = run(source, *options)
    assert error == "Interrupted. Run the same command again to continue."
    assert signal.getsignal(signal.SIGINT) is before
    monkeypatch.setattr(Run, "write", write)
    written = len(logs())
    assert 0 < written < 119
    assert f"Written: {written:,}," in output
    assert "Rows: 120. Written: 119, in the table already: 0" in run(source, *options[:2])[0]


def test_write_units_are_shared_by_the_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert import_logs.units_per_process(None, 4) is None  # a local engine
    assert import_logs.units_per_process(100, 4) == 25
    monkeypatch.setattr(endpoints, "is_local", lambda: False)
    assert import_logs.units_per_process(None, 4) == import_logs.DEFAULT_WRITE_UNITS / 4
    assert import_logs.units_per_process(0, 4) is None
