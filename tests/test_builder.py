"""The builder beside other builders and deletions, near its deadline, and after a replaced table."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from logs import counter, reader
from logs.digests import builder, coverage, directory, segment_build, source, state
from logs.digests.directory import Erasure
from logs.digests.moments import to_moment
from logs.filters import LogFilter, Order
from logs.models import LogItem
from logs.plan import PageQuery, make_plan
from logs.reading import counting
from logs.reading.budget import Budget
from logs.reading.count_result import Bucket
from logs.storage.digest_items import DAYS, DigestItem
from tests.digests import (
    YESTERDAY,
    Killed,
    before_request,
    built_logs,
    directories,
    generations,
    kill,
    listed_generations,
    small_segments,
    store_late,
)
from tests.items import logs, make_item, store

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def small(digests_table: None) -> Iterator[None]:
    with small_segments(30):
        yield


def minute(number: int) -> datetime:
    return YESTERDAY + timedelta(minutes=number)


def segment_logs() -> int:
    """Return the number of logs that digests have."""
    return sum(segment.logs for each in directories() for segment in each.segments)


def counted(budget: Budget | None = None) -> tuple[int, bool]:
    """Return the number of logs, and whether it is exact."""
    result, _ = counter.counts(make_plan(LogFilter()), Bucket.DAY, budget=budget or Budget())
    return result.total.number, result.total.is_exact


def search(budget: Budget | None = None, order: Order = Order.NEWEST) -> list[str]:
    """Return the ids of all logs that a search by digests finds, page by page."""
    plan, position, ids = make_plan(LogFilter(q="/path/", order=order)), None, []
    for _ in range(200):
        page = reader.read(PageQuery(plan, position, 50), budget or Budget()).page
        ids += [item.id for item in page.items]
        position = page.next
        if position is None:
            return ids
    raise AssertionError("the search did not end")


def test_rebuild_drops_the_digests_of_a_replaced_table() -> None:
    old = built_logs(70)
    for item in old:
        item.delete()
    make_item(900, created_at=YESTERDAY - DAY).save()
    assert counted()[0] > 1
    builder.build(rebuild=True)
    assert counted() == (1, True)
    assert segment_logs() == 1
    assert generations() == listed_generations()


def test_rebuilds_at_the_same_time_build_everything() -> None:
    built_logs(70)

    def rebuild() -> builder.Result:
        return builder.build(YESTERDAY, YESTERDAY + DAY, rebuild=True)

    for number in itertools.count(0, 9):
        is_reached = False

        def other() -> None:
            nonlocal is_reached
            is_reached = True
            rebuild()

        with before_request(number, other):
            result = rebuild()
        assert result.is_finished
        assert (segment_logs(), counted()) == (70, (70, True))
        if not is_reached:
            break


def test_scheduled_run_does_not_stop_a_build() -> None:
    store(make_item(n, created_at=YESTERDAY - DAY * (n // 20) + timedelta(minutes=n % 20)) for n in range(80))
    with before_request(30, lambda: builder.build(deadline=lambda: 30.0)):
        assert builder.build().is_finished
    assert segment_logs() == 80


def test_build_beside_an_endless_deletion_is_not_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    store(make_item(n, created_at=minute(n)) for n in range(40))

    def announce(current: directory.Directory) -> directory.Directory:
        erasure = Erasure(to_moment(YESTERDAY), "OK", to_moment(datetime.now(UTC)))
        return replace(current, erasures={make_item(1).id: erasure})

    directory.update(YESTERDAY.date(), announce)
    # The logs would be read for nothing.
    monkeypatch.setattr(source, "logs", lambda *_, **__: kill())
    result = builder.build(YESTERDAY, YESTERDAY + DAY)
    assert (result.is_finished, result.has_progress, state.read()[0].finished_at) == (False, False, "")


def test_segment_ends_at_a_moment_when_time_runs_out() -> None:
    store(make_item(n, created_at=minute(n // 2), url=f"/path/{n}") for n in range(60))

    def deadline() -> Callable[[], float]:
        left = iter(range(80, 0, -1))
        return lambda: float(next(left))

    results = [builder.build(deadline=deadline()) for _ in range(8)]
    assert not results[0].is_finished
    assert all(each.has_progress for each in results)
    assert results[-1].is_finished
    assert all(segment.start % 60_000_000 == 0 for each in directories() for segment in each.segments)
    assert segment_logs() == 60
    assert len(search()) == 60


def test_range_build_keeps_the_state_of_another_run(monkeypatch: pytest.MonkeyPatch) -> None:
    store(make_item(n, created_at=minute(n)) for n in range(40))
    build_segment = segment_build.build_segment
    other = iter([builder.build])

    def delayed(*args: object) -> object:
        if build := next(other, None):
            build()
        return build_segment(*args)  # type: ignore[arg-type]

    monkeypatch.setattr("logs.digests.day_build.build_segment", delayed)
    builder.build(YESTERDAY, YESTERDAY + DAY)
    assert state.read()[0].frontier is not None
    assert state.read()[0].last_check > 0


def test_full_directory_leaves_a_hole(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store(make_item(n, created_at=minute(n), url=f"/path/{n}") for n in range(120))
    monkeypatch.setattr(directory, "MAX_BYTES", 200)
    assert builder.build().is_finished
    assert 30 <= segment_logs() < 120
    assert f"The directory of {YESTERDAY.date()} is full" in caplog.text
    assert (len(search()), counted()) == (120, (120, True))
    # Existing segments are built again still.
    assert builder.build(YESTERDAY, minute(20), rebuild=True).segments > 0
    assert (len(search()), counted()) == (120, (120, True))


def test_killed_range_build_is_cleaned_by_the_next_run() -> None:
    built_logs(40)
    with before_request(12, kill), suppress(Killed):
        builder.build(YESTERDAY, YESTERDAY + DAY, rebuild=True)
    builder.build()
    assert generations() == listed_generations()


@pytest.mark.parametrize("order", Order)
def test_backlog_of_late_logs_is_read_and_built(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "MAX_LATE", 30)
    monkeypatch.setattr(coverage, "MAX_ITEMS", 20)
    monkeypatch.setattr(counting, "MAX_LATE", 15)
    items = built_logs(60)
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    for each in directories():

        def began_before(current: directory.Directory) -> directory.Directory:
            began = to_moment(long_ago - timedelta(hours=1))
            return replace(current, segments=tuple(replace(each, began=began) for each in current.segments))

        directory.update(each.day, began_before)
    for number in range(120):
        day = YESTERDAY - DAY * (number % 3)
        item = make_item(500 + number, created_at=day + timedelta(seconds=number), url=f"/path/{number}")
        store_late(item, long_ago)
        items.append(item)
    expected = [item.id for item in sorted(items, key=lambda each: each.created_at)]
    expected = expected if order is Order.OLDEST else expected[::-1]
    assert search(order=order) == expected
    assert search(Budget(examined=40), order=order) == expected
    number, is_exact = counted()
    assert 60 <= number < len(items)
    assert not is_exact

    def deadline() -> Callable[[], float]:
        left = iter(range(200, 0, -1))
        return lambda: float(next(left))

    for _ in range(20):
        if builder.build(deadline=deadline()).is_finished:
            break
    assert search(order=order) == expected
    assert counted() == (len(logs()), True)
    # Few late logs are left of each day.
    assert len([item for item in DigestItem.query(DAYS) if item.written_at]) < 3 * 20
    assert LogItem.count() == len(items)
