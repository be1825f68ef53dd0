"""`manage.py doctor` reports whether the builder of digests runs."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from logs import times
from logs.digests import state
from logs.digests.moments import to_moment
from logs.storage import endpoints
from logs.storage.digest_items import DigestItem
from logsite.doctor import digests


@pytest.fixture
def on_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the engine be AWS's own."""
    monkeypatch.setattr(endpoints, "dynamodb", lambda: None)


@pytest.fixture
def table_age(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Return a function that sets the age of the table."""

    def set_age(age: timedelta) -> None:
        def describe() -> dict[str, Any]:
            return {"CreationDateTime": datetime.now(UTC) - age}

        monkeypatch.setattr(DigestItem, "describe_table", describe)

    return set_age


@pytest.fixture
def finished_at() -> Iterator[Callable[[datetime], None]]:
    """Return a function that stores the time of the last run."""
    state = DigestItem("builder", "state")

    def store(time: datetime) -> None:
        state.written_at = times.to_text(time)
        state.save()

    yield store
    state.delete()


def lines() -> list[str]:
    return [str(result) for result in digests.check()]


@pytest.mark.usefixtures("on_aws")
def test_recent_run_is_ok(finished_at: Callable[[datetime], None]) -> None:
    time = datetime.now(UTC) - timedelta(minutes=29)
    finished_at(time)
    assert lines() == [f"OK   Digests: the builder finished a run at {times.to_text(time)}"]


@pytest.mark.usefixtures("on_aws", "digests_table")
def test_recent_run_shows_the_end_of_digests() -> None:
    time = datetime.now(UTC)
    state.change(state.State(), frontier=to_moment(time), finished_at=times.to_text(time))
    [line] = lines()
    assert line.endswith(f"; logs before {times.to_text(time)} have digests")


@pytest.mark.usefixtures("on_aws")
def test_old_run_fails(finished_at: Callable[[datetime], None]) -> None:
    time = datetime.now(UTC) - timedelta(minutes=31)
    finished_at(time)
    [line] = lines()
    assert line == (
        f"FAIL Digests: the builder has made no progress since {times.to_text(time)}. "
        "See DigestsStoppedAlarm in the runbook, or run `manage.py build_digests`."
    )


@pytest.mark.usefixtures("on_aws")
def test_table_without_a_run_fails(table_age: Callable[[timedelta], None]) -> None:
    table_age(timedelta(hours=1))
    [line] = lines()
    assert line.startswith("FAIL Digests: the builder has not finished a run. See DigestsStoppedAlarm")


@pytest.mark.usefixtures("on_aws")
def test_new_table_without_a_run_is_a_note(table_age: Callable[[timedelta], None]) -> None:
    table_age(timedelta(minutes=5))
    assert lines() == ["NOTE Digests: the builder has not finished a run yet, and the table is new"]


def test_local_engine_without_a_builder_is_a_note(table_age: Callable[[timedelta], None]) -> None:
    table_age(timedelta(hours=1))
    assert lines() == ["NOTE Digests: the builder has not finished a run. `manage.py build_digests` runs it"]


@pytest.mark.usefixtures("on_aws")
def test_digests_that_are_off_are_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DigestItem.Meta, "table_name", "")
    assert lines() == ["NOTE Digests: they are off, because DIGESTS_TABLE is empty"]


@pytest.mark.usefixtures("on_aws")
def test_missing_table_is_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DigestItem.Meta, "table_name", "NoSuchTable")
    assert lines() == []
