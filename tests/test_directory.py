"""The directory of a day: segments without overlaps, and changes that are never lost."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest

from logs.digests import directory
from logs.digests.counts import Counts
from logs.digests.directory import OUTLIVES, Directory, Erasure, Segment
from tests.interleaving import interleave
from tests.items import make_item

DAY = date(2026, 11, 25)


def segment(start: int, end: int, **fields: object) -> Segment:
    return Segment(start, end, f"{DAY}#{start}-{end}", logs=1, chunks=(start,), **fields)  # type: ignore[arg-type]


def counts(*numbers: int) -> Counts:
    total = Counts()
    for number in numbers:
        total.add(make_item(number))
    return total


@pytest.mark.parametrize(
    ("segments", "bounds", "holes"),
    [
        ([], (0, 10), [(0, 10)]),
        ([(0, 10)], (0, 10), []),
        ([(2, 4), (6, 8)], (0, 10), [(0, 2), (4, 6), (8, 10)]),
        ([(2, 4), (4, 8)], (0, 10), [(0, 2), (8, 10)]),
        ([(0, 4), (6, 10)], (1, 9), [(4, 6)]),
        ([(0, 4), (6, 10)], (4, 6), [(4, 6)]),
        ([(0, 4), (6, 10)], (6, 9), []),
        ([(0, 4)], (10, 20), [(10, 20)]),
        ([(10, 20)], (0, 5), [(0, 5)]),
    ],
)
def test_holes_are_what_no_segment_covers(
    segments: list[tuple[int, int]], bounds: tuple[int, int], holes: list[tuple[int, int]]
) -> None:
    current = Directory(DAY, tuple(segment(*each) for each in segments))
    assert list(current.holes(*bounds)) == holes


def test_segments_of_another_format_are_holes() -> None:
    current = Directory(DAY, (segment(0, 5), segment(5, 10, format="0")))
    assert list(current.holes(0, 10)) == [(5, 10)]
    assert current.overlapping(0, 10) == list(current.segments)


def test_new_segment_replaces_those_that_it_overlaps() -> None:
    old = [segment(0, 4), segment(4, 8), segment(8, 12)]
    new = segment(4, 10)
    changed = Directory(DAY, tuple(old), wide="w").with_segment(new, counts(1))
    assert changed.segments == (old[0], new)
    assert changed.pending == (old[1].generation, old[2].generation, "w")
    assert changed.wide == ""
    assert changed.counts.to_json() == counts(1).to_json()


def test_dropped_segments_are_pending() -> None:
    current = Directory(DAY, (segment(0, 4), segment(4, 8)), pending=("p",))
    changed = current.without(current.overlapping(4, 5))
    assert changed.segments == (segment(0, 4),)
    assert changed.pending == ("p", segment(4, 8).generation)
    assert changed.without_pending(["p"]).pending == (segment(4, 8).generation,)


def test_directory_survives_storing(digests_table: None) -> None:
    full = Directory(
        DAY,
        (segment(0, 4, began=7, expires=1_900_000_000), Segment(4, 8, began=7)),
        pending=("p",),
        erasures={"0" * 32: Erasure(3, "OK#1", 5)},
        counts=counts(1, 2, 3),
        wide="w",
        edits=3,
    )
    written = directory.update(DAY, lambda current: replace(full, version=current.version))
    stored = directory.read(DAY)
    assert stored.version == written.version == 1
    assert stored.counts.to_json() == full.counts.to_json()
    assert replace(stored, counts=full.counts, version=0) == full


def test_directory_outlives_its_last_log() -> None:
    last = 1_900_000_000
    current = Directory(DAY, (segment(0, 4, expires=last - 9), segment(4, 8, expires=last), Segment(8, 9)))
    assert current.to_item().expires_at == datetime.fromtimestamp(last, UTC) + OUTLIVES
    assert current.with_pending("p").to_item().expires_at is None
    endless = replace(current, segments=(*current.segments, segment(9, 10)))
    assert endless.to_item().expires_at is None
    assert Directory(DAY).to_item().expires_at is None


def test_changes_at_the_same_time_are_not_lost(digests_table: None) -> None:
    for seed in range(5):
        day = DAY + timedelta(days=seed)
        names = [f"{seed}-{number}" for number in range(4)]

        def add(current: Directory, name: str) -> Directory:
            return current.with_pending(name)

        interleave(seed, *(partial(directory.update, day, partial(add, name=name)) for name in names))
        assert set(directory.read(day).pending) == set(names)
        assert directory.read(day).version == len(names)


def test_change_without_an_edit_writes_nothing(digests_table: None) -> None:
    assert directory.change(DAY, lambda current: None) is None
    assert directory.read(DAY).version == 0


def test_change_that_is_always_overtaken_is_a_conflict(digests_table: None) -> None:
    def overtaken(current: Directory) -> Directory:
        directory.update(DAY, lambda other: other.with_pending(str(other.version)))
        return current.with_pending("mine")

    with pytest.raises(directory.Conflict, match="Other processes"):
        directory.change(DAY, overtaken)
    assert "mine" not in directory.read(DAY).pending
