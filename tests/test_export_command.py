"""`manage.py export_logs`: its filter, its formats, and interrupted exports."""

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from logs import signals
from logs.exports import local_file
from logs.exports.chunks import Chunk
from logs.exports.local_file import LocalFile
from logs.management.commands import export_logs
from tests.exports import ids, make_log_with_payload, newest_first
from tests.items import make_item, store
from tests.proxy import disconnect

pytestmark = pytest.mark.usefixtures("logs_table")


def run(*arguments: str) -> str:
    output = io.StringIO()
    call_command("export_logs", *arguments, stdout=output)
    return output.getvalue()


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a checkpoint after every few rows."""
    monkeypatch.setattr(export_logs, "CHUNK_CHARACTERS", 2_000)


def test_standard_output_has_the_logs_of_the_filter(capsys: pytest.CaptureFixture[str]) -> None:
    store(make_item(n, account_id=str(n % 2), type="login" if n % 3 else "view") for n in range(30))
    text = run("--filter", "account_id=1", "--filter=-type=view", "--filter", "tz=berlin")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row["id"] for row in rows] == newest_first(n for n in range(30) if n % 2 and n % 3)
    assert rows[0]["created_at"] == "2026-11-01T01:00:29.000000+01:00"
    assert "Export: 10log" in capsys.readouterr().err.rpartition("\r")[2]
    text = run("--format", "ndjson", "--columns", "id,type", "--payloads", "--filter", "type=view")
    assert json.loads(text.splitlines()[0]).keys() == {"id", "type", "damage", "payload", "extra"}


def test_own_accounts_are_left_out_unless_requested() -> None:
    store([make_item(1), make_item(2, account_id="_logsite")])
    assert ids(run("--format", "ndjson")) == newest_first([1])
    assert ids(run("--format", "ndjson", "--own-accounts")) == newest_first([1, 2])


@pytest.mark.parametrize("name", ["logs.ndjson", "logs.ndjson.gz"])
@pytest.mark.usefixtures("small_chunks")
def test_interrupted_export_is_resumed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store(map(make_log_with_payload, range(120)))
    path = tmp_path / name
    append = LocalFile.append
    appended: list[Chunk] = []

    def interrupt(file: LocalFile, chunk: Chunk) -> LocalFile:
        appended.append(chunk)
        if len(appended) == 5:
            # Ctrl-C after the text, before its checkpoint.
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(LocalFile, "_save", lambda file: None)
                append(file, chunk)
            raise KeyboardInterrupt
        return append(file, chunk)

    monkeypatch.setattr(LocalFile, "append", interrupt)
    with pytest.raises(CommandError, match=r"^Interrupted\. To continue: .* --resume$") as error:
        run("--format", "ndjson", "--payloads", "--output", str(path))
    assert error.value.returncode == 130
    assert not path.exists()
    with pytest.raises(CommandError, match=r"part exists\. Choose another file, delete it, or add --resume"):
        run("--output", str(path))
    with pytest.raises(CommandError, match="leave the others out"):
        run("--output", str(path), "--resume", "--format", "csv")
    assert run("--output", str(path), "--resume") == f"Wrote 120 logs to {path}.\n"
    data = path.read_bytes()
    text = (gzip.decompress(data) if name.endswith(".gz") else data).decode()
    assert ids(text) == newest_first(range(120))
    assert [each.name for each in tmp_path.iterdir()] == [name]
    with pytest.raises(CommandError, match=r"ndjson(\.gz)? exists\."):
        run("--output", str(path))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--filter", "account_id"], r"must have the form NAME=VALUE, not 'account_id'"),
        (["--filter", "colour=red"], r"^Please correct --filter\.\ncolour: There is no filter “colour”"),
        (["--filter", "from=soon"], r"from: “soon” is not a time"),
        (["--filter", "at=2026-11-01"], r"at: An export has no pages: leave at out\."),
        (["--columns", "id,colour"], r"must be names of created_at, .*, not 'colour'"),
        (["--resume"], r"^--resume needs --output"),
        (
            ["--resume", "--output", "/nowhere/logs.csv"],
            r"^--resume is not possible: there is no interrupted",
        ),
        (["--output", "/nowhere/logs.csv"], r"^The output is not writable: .*No such file"),
    ],
)
def test_wrong_options_are_errors(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(*arguments)


def test_damaged_checkpoint_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "logs.csv"
    for text in ("{", '{"spec": "{}", "checkpoint": null, "size": 0}'):
        local_file._state(path).write_text(text)
        with pytest.raises(CommandError, match=r"^--resume is not possible: .*part\.json is not readable"):
            run("--output", str(path), "--resume")


def test_unreachable_engine_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    disconnect(monkeypatch)
    with pytest.raises(CommandError, match=r"^DynamoDB refused: .*The output is incomplete\.$"):
        run()


def test_export_by_a_command_is_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[dict[str, Any]] = []
    monkeypatch.setattr(signals.logs_exported, "send_robust", lambda **values: events.append(values))
    run("--filter", "account_id=7", "--format", "json")
    [event] = events
    assert (event["request"], event["format"]) == (None, "json")
    assert event["query"].plan.filter.account_id == ("7",)
