"""Rows become logs: ids, times, refusals, dry runs, and what a second import does."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from ingest.cli.errors import CommandFailed
from ingest.handler import lambda_handler
from ingest.imports.checkpoint import Checkpoint, RefusedRows
from ingest.imports.items import derived_id
from ingest.imports.rows import BadRow
from ingest.writing import items
from logs import times
from logs.models import LogItem
from logs.storage import choices
from logs.storage.digest_items import DAYS, DigestItem
from tests.factories import NO_FAILURES, make_body, make_event
from tests.imports import DAY, SameMapping, import_rows, make_row, refused_path, rehearse
from tests.items import logs
from tests.lambda_context import LambdaContext

pytestmark = pytest.mark.usefixtures("digests_table")
UUID = "6f1dd1c2-9c1e-4f5b-8a3f-0d8c1b2a3e4f"


def test_imported_log_has_the_time_of_its_row(
    tmp_path: Path, viewer_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGS_MASK", "password")
    monkeypatch.setattr(items, "RETENTION", timedelta(days=10))
    payload = {"password": "secret", "text": "long " * 500}
    rows = [make_row(1, payload=payload, id=UUID, note=1.5), make_row(2, id=17, type="export"), make_row(3)]
    counts = import_rows(rows, tmp_path).counts
    assert (counts.rows, counts.written, counts.existing, counts.refused) == (3, 3, 0, 0)
    assert counts.write_units > 3 * 5
    kept = LogItem.get(UUID.replace("-", ""))
    assert {item.id for item in logs()} == {kept.id, derived_id("audit", "2"), derived_id("audit", "3")}
    assert derived_id("audit", "2") == "ade9af89a05b51c9a3e9e51eb69356d0"  # never changes
    assert kept.received_at == kept.created_at == DAY + timedelta(seconds=1)
    assert kept.expires_at == DAY + timedelta(days=10, seconds=1)
    assert datetime.now(UTC) - kept.imported_at < timedelta(minutes=1)
    assert not [item for item in DigestItem.query(DAYS) if item.written_at]  # no late items
    assert {"login", "export"} <= choices.read().types.keys()
    page = viewer_client.get(f"/admin/logs/log/{kept.id}/change/").content.decode()
    assert "Imported (UTC)" in page
    assert "secret" not in page
    assert json.loads(viewer_client.get(f"/api/logs/{kept.id}").content)["imported_at"]


def test_second_import_writes_nothing(tmp_path: Path) -> None:
    rows = [make_row(number, payload={"number": number}) for number in range(60)]
    rows[40] = make_row(40, payload="ä" * 900_000)
    import_rows(rows, tmp_path)
    before = {item.id: item.imported_at for item in logs()}
    # The checkpoint is at the end of the source, so only new rows are read.
    assert import_rows([*rows, make_row(60)], tmp_path).counts.rows == 61
    counts = import_rows(rows, tmp_path, restart=True).counts
    assert (counts.written, counts.existing) == (0, 60)
    assert {item.id: item.imported_at for item in logs()} == before | {
        derived_id("audit", "60"): LogItem.get(derived_id("audit", "60")).imported_at
    }


def test_log_that_was_sent_too_is_imported_once(tmp_path: Path) -> None:
    row = make_row(1, id=UUID)
    assert lambda_handler(make_event(make_body(**row.values)), LambdaContext()) == NO_FAILURES
    counts = import_rows([row, make_row(2, id=UUID), make_row(3, id=UUID)], tmp_path).counts
    assert (counts.written, counts.existing, counts.refused) == (0, 1, 2)
    refused = [json.loads(line) for line in refused_path(tmp_path).read_text().splitlines()]
    assert refused == [
        {"row": row, "column": "id", "reason": "belongs to a log with other content already"}
        for row in ("2", "3")
    ]
    [log] = logs()
    assert log.imported_at is None
    # The same log may be sent again after its import.
    assert lambda_handler(make_event(make_body(**row.values)), LambdaContext()) == NO_FAILURES


def refusable_rows() -> list[Any]:
    """Return rows of which only the last one can be imported."""
    soon = times.to_text(datetime.now(UTC) + timedelta(minutes=20))
    return [
        make_row(1, account_id="_logsite"),
        BadRow("2", "created", "is no time", 2),
        make_row(3, created_at=soon),
        make_row(4, created_at=...),
        make_row(5, type="", user_id=-1),
        make_row(6, payload=float("nan")),
        make_row(7, created_at=times.to_text(DAY - timedelta(days=40))),
        make_row(8),
    ]


@pytest.fixture
def _retention(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items, "RETENTION", timedelta(days=30))


@pytest.mark.usefixtures("_retention")
def test_refused_rows_are_in_a_file(tmp_path: Path) -> None:
    mapping = SameMapping(columns={"type": "kind"})
    counts = import_rows(refusable_rows(), tmp_path, mapping=mapping).counts
    assert (counts.rows, counts.written, counts.expired, counts.refused) == (8, 1, 1, 6)
    refused = [json.loads(line) for line in refused_path(tmp_path).read_text().splitlines()]
    assert [(each["row"], each["column"]) for each in refused] == [
        ("1", "account_id"),
        ("2", "created"),
        ("3", "created_at"),
        ("4", "created_at"),
        ("5", "user_id"),
        ("5", "kind"),
        ("6", "payload"),
    ]
    assert refused[1]["reason"] == "is no time"
    assert "future" in refused[2]["reason"]


@pytest.mark.usefixtures("_retention")
def test_dry_run_writes_nothing_and_counts_refusals() -> None:
    checkpoint, refusals = rehearse([*refusable_rows(), *(make_row(each, url=...) for each in range(9, 14))])
    counts = checkpoint.counts
    assert (counts.rows, counts.written, counts.expired, counts.refused) == (13, 1, 1, 11)
    assert next(refusals.lines()) == "5: url: is required (row 9, 10, 11, …)"
    assert logs() == []
    assert not list(DigestItem.scan())


def test_checkpoint_of_another_import_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.json"
    Checkpoint("a", "b", "c").save(path)
    for source, mapping, table, text in (
        ("x", "b", "c", "another source"),
        ("a", "x", "c", "another mapping"),
        ("a", "b", "x", "another table of logs"),
    ):
        with pytest.raises(CommandFailed, match=text):
            Checkpoint.load(path, Checkpoint(source, mapping, table))
    path.write_text("{}")
    with pytest.raises(CommandFailed, match="is not a checkpoint"):
        Checkpoint.load(path, Checkpoint("a", "b"))
    path.write_text("lines")
    with pytest.raises(CommandFailed, match="exists"):
        RefusedRows(path, 0, is_own=False)
    with pytest.raises(CommandFailed, match="is shorter"):
        RefusedRows(path, 10, is_own=True)
