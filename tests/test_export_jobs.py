"""An export in the background has each log once and in order, whatever happens to its workers."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from logs.exports import handler, jobs, launch, worker
from logs.exports.chunks import Checkpoint
from logs.exports.files import Folder
from logs.exports.jobs import State
from logs.exports.worker import Outcome
from logs.plan import Direction, Key, Position
from logs.storage.errors import StoreUnavailable
from logs.storage.export_items import ExportItem
from tests.dynamodb_calls import counted_calls
from tests.exports import (
    OWNER,
    FaultyFolder,
    Killed,
    content,
    create,
    empty_exports_table,
    end_lease,
    ids,
    make_log_with_payload,
    make_spec,
    newest_first,
    use_small_chunks,
)
from tests.items import make_item, store
from tests.lambda_context import LambdaContext

pytestmark = pytest.mark.usefixtures("logs_table")
LOGS = 300


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    """Set an empty folder as the place of exports, with small chunks."""
    monkeypatch.setenv("LOGS_EXPORTS_FOLDER", str(tmp_path))
    use_small_chunks(monkeypatch)
    yield Folder(tmp_path)
    empty_exports_table()


def run(item: ExportItem, folder: Folder, seconds: float = 1_000) -> Outcome:
    return worker.run(OWNER, item.id, folder, lambda: seconds)


def reload(item: ExportItem) -> ExportItem:
    return ExportItem.get(item.owner, item.id)


def test_killed_workers_leave_no_gap_and_no_repeat(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(map(make_log_with_payload, range(LOGS)))
    item = create(make_spec())
    # A killed process does not end its lease.
    monkeypatch.setattr(jobs, "release", lambda item: None)
    kills: list[str] = []

    def kill_every_third(event: str) -> None:
        events.append(event)
        if len(events) == 3 + len(kills) % 2:
            kills.append(event)
            raise Killed

    for _ in range(100):
        events: list[str] = []
        try:
            outcome = run(item, FaultyFolder(tmp_path, kill_every_third))
            break
        except Killed:
            assert run(item, folder) is Outcome.NOTHING_TO_DO  # its lease has not ended
            end_lease(reload(item))
    assert outcome is Outcome.DONE
    assert {kill.split()[0] for kill in kills} == {"before", "after"}
    assert len(kills) > 10
    text = content(folder, item)
    assert ids(text) == newest_first(range(LOGS))
    first = json.loads(text.splitlines()[1])
    assert first["payload"] == {"number": LOGS - 2, "text": "=1+1\n"}
    large = json.loads(text.splitlines()[0])
    assert (len(large["payload"]), large["extra"], large["damage"]) == (700_000, {"build": 17}, None)
    item = reload(item)
    assert (item.state, item.rows) == (State.DONE, LOGS)
    assert item.size == (tmp_path / jobs.file_key(item)).stat().st_size


def test_slow_worker_changes_nothing_after_another_took_over(folder: Folder, tmp_path: Path) -> None:
    store(make_item(number) for number in range(LOGS))
    item = create(make_spec(payloads=False))
    taken_over: list[str] = []

    def take_over(event: str) -> None:
        if event.startswith("after") and not taken_over:
            taken_over.append(event)
            end_lease(reload(item))
            assert run(item, folder) is Outcome.DONE

    assert run(item, FaultyFolder(tmp_path, take_over)) is Outcome.NOTHING_TO_DO
    assert ids(content(folder, item)) == newest_first(range(LOGS))
    assert reload(item).state == State.DONE


def test_function_invokes_itself_before_its_time_is_over(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(make_item(number) for number in range(LOGS))
    item = create(make_spec("json", payloads=False))
    events = [{"owner": OWNER, "export": item.id}]
    monkeypatch.setattr(
        launch, "start", lambda owner, export_id: events.append({"owner": owner, "export": export_id})
    )
    outcomes = []
    while events:
        context = LambdaContext(worker.JOIN_SECONDS + 30, seconds_per_call=25)
        outcomes.append(handler.lambda_handler(events.pop(), context)["outcome"])
    assert outcomes[-1] == "done"
    assert set(outcomes[:-1]) == {"unfinished"}
    assert len(outcomes) > 3
    data = json.loads(content(folder, item))
    assert [row["id"] for row in data["logs"]] == newest_first(range(LOGS))
    assert data["_logsite"]["rows"] == LOGS
    # A second delivery of an event does nothing.
    event = {"owner": OWNER, "export": item.id}
    assert handler.lambda_handler(event, LambdaContext()) == {"outcome": "nothing to do"}


def test_cancelled_export_stops_at_its_next_checkpoint(tmp_path: Path, folder: Folder) -> None:
    store(make_item(number) for number in range(LOGS))
    item = create(make_spec(payloads=False))
    events: list[str] = []

    def cancel(event: str) -> None:
        events.append(event)
        if len(events) == 4:
            assert jobs.cancel(reload(item))

    assert run(item, FaultyFolder(tmp_path, cancel)) is Outcome.NOTHING_TO_DO
    assert len(events) == 4
    assert reload(item).state == State.CANCELLED
    assert not jobs.cancel(reload(item))
    assert run(item, folder) is Outcome.NOTHING_TO_DO


def test_export_without_progress_fails(folder: Folder, tmp_path: Path) -> None:
    store([make_item(1)])
    item = create(make_spec(payloads=False))

    def fail(event: str) -> None:
        raise StoreUnavailable("throttled")

    for _ in range(jobs.MAX_ATTEMPTS):
        with pytest.raises(handler.ExportFailed, match="StoreUnavailable"):
            _handle(item, FaultyFolder(tmp_path, fail))
    assert run(item, folder) is Outcome.NOTHING_TO_DO
    assert reload(item).reason == "5 attempts in a row made no progress"
    old = create(make_spec(payloads=False))
    old.update(actions=[ExportItem.created_at.set(old.created_at - timedelta(days=2))])
    other = create(make_spec(payloads=False))
    other.update(actions=[ExportItem.spec.set('{"filter": {"colour": ["red"]}}')])
    for each, reason in ((old, "it took longer than a day"), (other, "another version of Logsite")):
        assert run(each, folder) is Outcome.NOTHING_TO_DO
        assert reload(each).state == State.FAILED
        assert reload(each).reason.startswith(reason)


def _handle(item: ExportItem, folder: Folder) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handler, "files", lambda: folder)
        return handler.lambda_handler({"owner": OWNER, "export": item.id}, LambdaContext())


def test_users_have_few_running_exports() -> None:
    items = [create(make_spec()) for _ in range(jobs.MAX_RUNNING)]
    with pytest.raises(jobs.TooManyExports):
        create(make_spec())
    jobs.cancel(items[0])
    newest = create(make_spec())
    assert next(item.id for item in jobs.recent(OWNER)) == newest.id
    assert jobs.get("mallory", newest.id) is None


def test_checkpoints_and_filters_survive_as_json() -> None:
    position = Position(Direction.NEXT, Key("2026-11-01T00:00:00.000000+00:00", "a", "7"))
    for checkpoint in (Checkpoint(), Checkpoint(position, 5, uses_digests=True), Checkpoint(complete=True)):
        assert Checkpoint.loads(checkpoint.dumps()) == checkpoint
    assert Checkpoint.loads(None) == Checkpoint()


def test_thousand_rows_take_one_query(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    use_small_chunks(monkeypatch, 1_000, 4_000_000)
    store(make_item(number) for number in range(LOGS))
    for payloads, expected in ((False, {}), (True, {"BatchGetItem": 3})):
        item = create(make_spec(payloads=payloads, account_id=("7",)))
        with counted_calls() as calls:
            assert run(item, folder) is Outcome.DONE
        # A claim, a checkpoint, a lease for the join, and the end.
        assert calls == {"GetItem": 1, "UpdateItem": 4, "Query": 1, **expected}
