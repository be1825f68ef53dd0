"""Coverage: the parts of a range, both ways, without gaps; and late items."""

import random
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest

from logs.digests import coverage, directory, late
from logs.digests.coverage import Covered, Hole
from logs.digests.directory import Segment
from logs.digests.moments import DAY, MICROSECOND, day_start, to_time
from logs.digests.source import call_each
from logs.storage.digest_items import DigestItem
from logs.storage.horizon import HORIZON
from tests.digests import store_late
from tests.items import make_item

pytestmark = pytest.mark.usefixtures("digests_table")

FIRST = date(2026, 11, 1)
START = day_start(FIRST)
HOUR = int(timedelta(hours=1) / MICROSECOND)


def list_segments(*segments: Segment) -> None:
    """Write the directories of segments."""
    for day in {to_time(each.start).date() for each in segments}:
        of_day = tuple(each for each in segments if to_time(each.start).date() == day)

        def with_segments(
            current: directory.Directory, of_day: tuple[Segment, ...] = of_day
        ) -> directory.Directory:
            return directory.Directory(current.day, of_day, version=current.version)

        directory.update(day, with_segments)


def segment(start: int, end: int, **fields: object) -> Segment:
    """Return a segment between two hours."""
    low, high = START + start * HOUR, START + end * HOUR
    return Segment(low, high, f"{start}-{end}", logs=1, chunks=(low,), **fields)  # type: ignore[arg-type]


def read(start: int, end: int, *, ascends: bool, **options: object) -> list[Hole | Covered]:
    parts = coverage.read(START + start, START + end, 1, call_each, ascends=ascends, **options)  # type: ignore[arg-type]
    return list(parts)


def hours(parts: list[Hole | Covered]) -> list[tuple[str, float, float]]:
    """Return kind and hours of each part."""
    return [(type(each).__name__, (each.start - START) / HOUR, (each.end - START) / HOUR) for each in parts]


def test_parts_are_holes_and_segments_in_reading_order() -> None:
    list_segments(segment(2, 4), segment(4, 6), segment(30, 48), segment(96, 100, format="0"))
    expected = [
        ("Hole", 0, 2),
        ("Covered", 2, 4),
        ("Covered", 4, 6),
        ("Hole", 6, 30),
        ("Covered", 30, 48),
        ("Hole", 48, 120),
    ]
    assert hours(read(0, 120 * HOUR, ascends=True)) == expected
    assert hours(read(0, 120 * HOUR, ascends=False)) == expected[::-1]


def test_parts_are_cut_at_the_range() -> None:
    list_segments(segment(2, 4), segment(4, 6))
    assert hours(read(3 * HOUR, 5 * HOUR, ascends=True)) == [("Covered", 3, 4), ("Covered", 4, 5)]
    assert hours(read(7 * HOUR, 9 * HOUR, ascends=False)) == [("Hole", 7, 9)]


def test_broken_segments_are_holes() -> None:
    list_segments(segment(2, 4), segment(4, 6))
    parts = read(2 * HOUR, 6 * HOUR, ascends=True, broken={"2-4"})
    assert hours(parts) == [("Hole", 2, 4), ("Covered", 4, 6)]


@pytest.mark.parametrize("seed", range(5))
def test_random_parts_have_no_gaps(seed: int) -> None:
    rng = random.Random(seed)
    bounds = sorted(rng.sample(range(24 * 12), 60))
    pairs = [(low, high) for low, high in pairwise(bounds) if rng.random() < 0.6 and low // 24 == high // 24]
    list_segments(*(segment(low, high) for low, high in pairs))
    for _ in range(5):
        start, end = sorted(rng.sample(range(12 * DAY), 2))
        parts = read(start, end, ascends=True)
        assert (parts[0].start, parts[-1].end) == (START + start, START + end)
        assert all(one.end == other.start for one, other in pairwise(parts))
        assert all(one != other for one, other in pairwise(type(each) is Hole for each in parts) if one)
        assert read(start, end, ascends=False) == parts[::-1]


def test_segment_has_the_late_items_that_it_may_lack() -> None:
    built = START + 10 * DAY
    list_segments(segment(0, 24, began=built))
    written = [to_time(built) - HORIZON + timedelta(seconds=seconds) for seconds in (-1, 0, 1)]
    for number, moment in enumerate(written):
        store_late(make_item(number, created_at=to_time(START + number)), moment)
    [part] = read(0, DAY, ascends=True)
    assert isinstance(part, Covered)
    assert [each.moment - START for each in part.late] == [2]
    [part] = read(0, 2, ascends=True)
    assert isinstance(part, Covered)
    assert part.late == ()


def test_late_items_of_all_shards_are_read_in_order() -> None:
    for number in range(20):
        store_late(
            make_item(number, created_at=to_time(START + number), status=["OK", "OK#0", "OK#1"][number % 3])
        )
    for ascends in (True, False):
        [day] = coverage.read_days(START, START + DAY, 2, call_each, ascends=ascends, first=3)
        moments = [each.moment - START for each in day.late]
        assert moments == (list(range(20)) if ascends else list(range(20))[::-1])


def test_late_item_is_kept_if_it_was_put_again() -> None:
    item = make_item(1, created_at=to_time(START))
    store_late(item)
    [day] = coverage.read_days(START, START + DAY, 1, call_each, ascends=True)
    store_late(item)
    late.delete_all(day.late)
    assert len(list(DigestItem.scan())) == 1
    [day] = coverage.read_days(START, START + DAY, 1, call_each, ascends=True)
    late.delete_all(day.late)
    assert list(DigestItem.scan()) == []


def test_any_late_item_of_a_log_is_deleted() -> None:
    for number, status in enumerate(["OK", "OK#3"]):
        item = make_item(number, created_at=to_time(START), status=status)
        store_late(item)
        late.delete_any(START, item.id, status)
    assert list(DigestItem.scan()) == []


@pytest.mark.parametrize("ascends", [True, False])
def test_day_with_too_many_late_logs_is_a_hole(ascends: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "MAX_LATE", 5)
    list_segments(segment(0, 24), segment(24, 48), segment(48, 72))
    for number in range(60):
        store_late(
            make_item(number, created_at=to_time(START + DAY + number), status=["OK", "OK#0"][number % 2])
        )
    days = list(coverage.read_days(START, START + 3 * DAY, 2, call_each, ascends=ascends))
    assert [day.is_overfull for day in days] == [False, True, False]
    assert sum(len(day.late) for day in days) <= 2 * 6
    expected = [("Covered", 0, 24), ("Hole", 24, 48), ("Covered", 48, 72)]
    parts = coverage.read(START, START + 3 * DAY, 2, call_each, ascends=ascends)
    assert hours(list(parts)) == (expected if ascends else expected[::-1])


def test_first_queries_of_all_shards_are_sent_at_once() -> None:
    numbers = []

    def request(calls: list[Callable[[], Any]]) -> list[Any]:
        numbers.append(len(calls))
        return call_each(calls)

    list(coverage.read_days(START, START + DAY, 3, request, ascends=True))
    assert numbers == [4]


def test_hole_ends_after_many_late_logs_without_digests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "MAX_ITEMS", 5)
    for number in range(30):
        store_late(make_item(number, created_at=to_time(START + number % 5 * DAY + number)))
    for ascends in (True, False):
        parts = read(0, 5 * DAY, ascends=ascends)
        assert len(parts) == 5
        bounds = [(part.start, part.end) for part in (parts if ascends else parts[::-1])]
        assert all(one[1] == other[0] for one, other in pairwise(bounds))
