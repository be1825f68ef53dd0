"""Digests of days that an import writes into: none hides an imported log, whenever the import is killed."""

from datetime import timedelta
from pathlib import Path

import pytest

from ingest.writing import storage
from logs.digests import builder, directory, import_marks
from logs.storage.digest_items import DigestItem
from tests.digests import before_request, directories, generations, listed_generations
from tests.imports import DAY, build_digests, import_rows, make_row
from tests.items import make_item, store

pytestmark = pytest.mark.usefixtures("digests_table")
EXISTING, IMPORTED = 30, 40


def store_existing() -> None:
    """Store logs of DAY that are no import's."""
    store(make_item(each, created_at=DAY + timedelta(hours=1, seconds=each)) for each in range(EXISTING))


def covered() -> int:
    """Return the number of logs in listed digests."""
    return sum(segment.logs for each in directories() for segment in each.segments)


def test_killed_import_leaves_no_digests_that_hide_logs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_existing()
    builder.build()
    assert covered() == EXISTING
    checkpoint = import_rows([make_row(each) for each in range(IMPORTED)], tmp_path)
    assert covered() == 0
    # The import is killed here. The scheduled builder passes the day.
    assert builder.build().is_finished
    builder.build(rebuild=True)
    assert covered() == 0
    # Nobody continues the import: its marks end, and all logs get digests.
    with monkeypatch.context() as patch:
        patch.setattr(directory, "IMPORT_LEASE", timedelta())
        builder.build(DAY, DAY + timedelta(days=1))
    assert covered() == EXISTING + IMPORTED
    # The import continues nevertheless, with one more row: the day is marked again.
    checkpoint = import_rows([make_row(each) for each in range(IMPORTED + 1)], tmp_path)
    assert covered() == 0
    assert build_digests(checkpoint) == covered() == EXISTING + IMPORTED + 1
    assert generations() == listed_generations()
    # A second call, as after a kill, finds nothing to do.
    assert build_digests(checkpoint) == 0


@pytest.mark.parametrize("request_number", [3, 6, 8, 10, 12])
def test_builder_at_work_lists_no_day_of_an_import(tmp_path: Path, request_number: int) -> None:
    store_existing()
    rows = [make_row(each) for each in range(IMPORTED)]
    with before_request(request_number, lambda: import_rows(rows, tmp_path)):
        builder.build()
    assert covered() == 0
    assert build_digests(import_rows(rows, tmp_path)) == EXISTING + IMPORTED
    assert generations() == listed_generations()


def test_mark_is_renewed_and_ended_for_each_import(monkeypatch: pytest.MonkeyPatch) -> None:
    day = DAY.date()
    import_marks.begin(day, "a")
    first = directory.read(day).imports["a"]
    import_marks.begin(day, "a")
    assert directory.read(day).imports == {"a": first}
    monkeypatch.setattr(import_marks, "RENEWAL", timedelta())
    import_marks.begin(day, "a")
    import_marks.begin(day, "b")
    assert directory.read(day).imports["a"] > first
    import_marks.end(day, "a")
    assert directory.read(day).imports.keys() == {"b"}
    assert directory.read(day).is_importing
    import_marks.end(day, "b")
    assert not directory.read(day).is_importing


def test_suspended_import_marks_its_days_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = storage.write

    def suspended(*args: object, **kwargs: object) -> object:
        # Meanwhile the marks end, and the builder lists the day.
        monkeypatch.setattr(directory, "IMPORT_LEASE", timedelta())
        store_existing()
        builder.build(DAY, DAY + timedelta(days=1))
        assert covered() == EXISTING
        monkeypatch.setattr(import_marks, "RENEWAL", timedelta())
        return write(*args, **kwargs)

    monkeypatch.setattr(storage, "write", suspended)
    import_rows([make_row(1)], tmp_path)
    assert covered() == 0


def test_import_needs_no_table_of_digests(tmp_path: Path) -> None:
    DigestItem.delete_table()
    try:
        assert import_rows([make_row(1)], tmp_path).counts.written == 1
    finally:
        DigestItem.create_table()
