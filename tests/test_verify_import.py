"""`manage.py verify_import`: equal sides, and each kind of difference."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ingest.imports import group_writer, items, verification
from ingest.imports.arguments import make_mapping, open_source
from ingest.imports.rows import Row
from logs.models import LogItem
from logs.storage import documents
from tests.imports import DAY, SameMapping, make_row
from tests.items import make_item, store
from tests.test_import_mapping import options_of

pytestmark = pytest.mark.usefixtures("logs_table")


def write_rows(path: Path, number: int) -> list[dict[str, Any]]:
    """Write rows of two days as NDJSON. Two are refused or expired, some have large documents."""
    rows = [
        {
            **make_row(each * 3600).values,
            "payload": {"text": "ü" * (1 + each % 7) * 200, "list": [each, None]},
            "level": each,
        }
        for each in range(number)
    ]
    rows[3]["payload"] = "\x1b[2J" * 200_000
    rows[5] = {**rows[5], "type": ""}
    rows[6] = {**rows[6], "created_at": "1999-01-01T00:00:00"}
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return rows


def import_file(path: Path) -> None:
    """Import a file as import_logs does, in this process."""
    options = options_of(path)
    source = open_source(options)
    settings = group_writer.Settings(make_mapping(options, source), source.table, "test")
    group_writer.start(settings)
    group_writer.write(list(source.rows()))


def verify(path: Path, *arguments: str) -> str:
    """Return the output of the command, with the error at its end."""
    out = StringIO()
    try:
        call_command("verify_import", str(path), "--processes", "1", *arguments, stdout=out)
    except CommandError as error:
        return f"{out.getvalue()}\n{error}"
    return out.getvalue()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file of 30 rows that is imported."""
    monkeypatch.setattr("ingest.writing.items.RETENTION", timedelta(days=365))
    path = tmp_path / "audit.ndjson"
    write_rows(path, 30)
    import_file(path)
    return path


def test_imported_rows_are_equal(path: Path) -> None:
    # Logs of live traffic on the same days do not count.
    store(make_item(number, created_at=DAY) for number in range(3))
    rows = list(open_source(options_of(path)).rows())
    result = verification.Verifier(SameMapping(), "audit").compare(rows)
    assert result.counts == {"rows": 30, "refused": 1, "expired": 1}
    assert result.differences == []
    assert [day.is_equal for day in result.days.values()] == [True, True]
    assert sum(day.rows for day in result.days.values()) == 28


def test_command_compares_in_processes(path: Path) -> None:
    lines = path.read_text().splitlines()
    # Other processes have no retention.
    lines[6] = ""
    path.write_text("\n".join(lines))
    output = verify(path)
    assert output.count("  equal\n") == 2
    refused = "Rows not compared, because import_logs refuses them: 1.\n  1: type: is required (row 6)"
    assert refused in output
    assert "Rows compared: 28. All logs are equal." in output
    LogItem.get(items.derived_id("audit", "30")).delete()
    output = verify(path)
    assert output.count("  DIFFERENT\n") == 1
    assert "Row 30 (" in output
    assert output.endswith("Rows compared: 28. Without a log: 1. Different: 0.")


def test_each_difference_is_reported(path: Path) -> None:
    rows = list(open_source(options_of(path)).rows())
    ids = [items.derived_id("audit", str(number)) for number in range(1, 31)]
    LogItem.get(ids[9]).delete()
    changed = LogItem.get(ids[11])
    changed.update([LogItem.url.set("/\x1b[2J"), LogItem.user_id.set("99")])
    moved = LogItem.get(ids[0])
    moved.update([LogItem.created_at.set(moved.created_at - timedelta(days=1))])
    extra = LogItem.get(ids[13])
    document = documents.unpack(extra.document or b"")
    document["extra"] = '{"level": 14, "more": 1}'
    extra.update([LogItem.document.set(documents.pack(document))])
    damaged = LogItem.get(ids[3])
    head = damaged.document or b""
    damaged.update([LogItem.document.set(head[:-1] + b"x")])

    result = verification.Verifier(SameMapping(), "audit").compare(rows)
    assert [(each.key, [field.name for field in each.fields]) for each in result.differences] == [
        ("1", ["created_at"]),
        ("4", ["damage", "extra.level", "payload"]),
        ("10", []),
        ("12", ["url", "user_id"]),
        ("14", ["extra.level", "extra.more"]),
    ]
    assert not all(day.is_equal for day in result.days.values())
    assert len(result.days) == 3
    output = verify(path, "--sample", "30")
    for line in [
        "Row 10 ",
        "the log is missing.",
        "  extra.more\n    source: null\n    table:  1\n",
        '    table:  "/\\u001b[2J"',
        "Rows compared: 28. Without a log: 1. Different: 4.",
    ]:
        assert line in output, line
    assert "\x1b" not in output
    assert len(output) < 5_000


def test_log_that_is_there_twice_changes_the_hash() -> None:
    day = verification.Day(rows=2, logs=2, source_hash=5, table_hash=3)
    day.add(verification.Day(rows=1, logs=1, source_hash=verification.HASHES - 2, table_hash=0))
    assert day == verification.Day(3, 3, 3, 3)
    assert day.is_equal
    assert not verification.Day(2, 2, 2 * 7, 7).is_equal


def test_sample_has_each_row_with_the_same_probability() -> None:
    rows = [Row(str(number), number, {}) for number in range(10)]
    counts = [0] * 10
    for _ in range(1_000):
        for row in verification.sample(rows, 3):
            counts[int(row.key)] += 1
    assert sum(counts) == 3_000
    assert min(counts) > 200
    assert verification.sample(rows[:2], 3) == rows[:2]


def test_errors_end_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "SOURCE is no file" in verify(tmp_path / "nothing.csv")
    now = datetime.now(UTC).isoformat()
    path = tmp_path / "audit.ndjson"
    path.write_text(json.dumps(make_row(1, created_at=now).values))
    monkeypatch.setattr(LogItem.Meta, "table_name", "Missing")
    assert "DynamoDB refused" in verify(path, "--sample", "1")
