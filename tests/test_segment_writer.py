"""The limits of blocks, chunks and counts."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from logs.digests import blocks, counts, segment_writer
from logs.digests.blocks import Block
from logs.digests.counts import COUNTS, Counts, expiry_week, pack_counts, unpack_counts
from logs.digests.segment_writer import BlockHead, SegmentWriter, unpack_chunk
from logs.models import LogItem
from logs.search_text import search_text
from logs.storage import documents
from logs.storage.digest_items import DigestItem
from tests.items import START, make_item
from tests.noise import noise

pytestmark = pytest.mark.usefixtures("digests_table")

GENERATION = "2026-11-01#test"


def write(items: Iterable[LogItem]) -> SegmentWriter:
    """Write a generation of these logs."""
    writer = SegmentWriter(GENERATION)
    for item in items:
        writer.add(item, search_text(documents.content(item)))
    writer.finish()
    return writer


def stored(prefix: str) -> list[bytes]:
    """Return the data of the items whose sort key has a prefix, in order."""
    return [item.data for item in DigestItem.query(GENERATION, DigestItem.sort.startswith(prefix))]


def stored_blocks() -> list[Block]:
    return [blocks.unpack(data) for data in stored("b")]


def heads() -> list[list[BlockHead]]:
    """Return the heads of each chunk."""
    return [[head for head, _ in unpack_chunk(data)] for data in stored("s")]


def with_text(number: int, size: int, **fields: Any) -> LogItem:
    """Return a log with a payload of this size, which fits its folded text."""
    text = noise(size, seed=number).lower()
    return make_item(number, url="", document=documents.pack({"payload": text}), **fields)


def test_block_has_at_most_50_logs() -> None:
    write(make_item(n) for n in range(120))
    assert [len(block.entries) for block in stored_blocks()] == [50, 50, 20]
    assert [head.logs for chunk in heads() for head in chunk] == [50, 50, 20]


def test_block_ends_at_24_kilobytes_of_text() -> None:
    write(with_text(n, 10_000) for n in range(7))
    assert [len(block.entries) for block in stored_blocks()] == [3, 3, 1]
    assert all(block.text_bytes < 24 * 1024 + 10_001 for block in stored_blocks())


def test_log_over_20_kilobytes_has_a_block_of_its_own() -> None:
    write([make_item(1), with_text(2, 20 * 1024 + 1), make_item(3), with_text(4, 20 * 1024)])
    texts = {tuple(e.number for e in each.entries): each.texts for each in stored_blocks()}
    assert texts[(1,)] is None
    assert texts[(0, 2, 3)] is not None
    assert not any(noise(20, seed=2).lower().encode() in data for data in stored("b"))


def test_logs_share_a_block_if_they_expire_in_the_same_week() -> None:
    weeks = [datetime(2027, 1, 4, tzinfo=UTC) + timedelta(days=7 * n) for n in range(2)]
    expiries = [None, *weeks]
    write(make_item(n, expires_at=expiries[n % 3]) for n in range(30))
    assert [len(block.entries) for block in stored_blocks()] == [10, 10, 10]
    [chunk] = heads()
    assert {head.expires for head in chunk} == {each and int(each.timestamp()) for each in expiries}
    items = DigestItem.query(GENERATION, DigestItem.sort.startswith("b"))
    assert {item.expires_at for item in items} == set(expiries)
    assert len({expiry_week(head.expires) for head in chunk}) == 3


def test_blocks_do_not_reach_into_the_next_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "MAX_LOGS", 4)
    monkeypatch.setattr(segment_writer, "MAX_CHUNK_BLOCKS", 3)
    writer = write(make_item(n) for n in range(30))
    assert [[head.logs for head in chunk] for chunk in heads()] == [[4, 4, 4], [4, 4, 4], [4, 2]]
    assert len(writer.chunks) == 3
    starts = [chunk[0].start for chunk in heads()]
    assert writer.chunks == starts
    for chunk, following in zip(heads(), starts[1:], strict=False):
        assert all(head.end < following for head in chunk)


def test_logs_of_one_moment_are_in_one_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "MAX_LOGS", 4)
    monkeypatch.setattr(segment_writer, "MAX_CHUNK_BLOCKS", 3)
    write(make_item(n, created_at=START + timedelta(seconds=0 if n < 20 else n)) for n in range(30))
    assert [len(chunk) for chunk in heads()] == [5, 3]


def test_very_many_logs_of_one_moment_are_in_several_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "MAX_LOGS", 2)
    monkeypatch.setattr(segment_writer, "MAX_CHUNK_BLOCKS", 3)
    write(make_item(n, created_at=START) for n in range(30))
    assert [len(chunk) for chunk in heads()] == [6, 6, 3]


def test_chunk_ends_at_64_kilobytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_writer, "MAX_CHUNK_BYTES", 8 * 1024)
    write(with_text(n, 9_000) for n in range(30))
    sizes = [len(data) for data in stored("s")]
    assert len(sizes) > 2
    assert max(sizes) < 2 * 8 * 1024


def test_segment_without_logs_writes_nothing() -> None:
    writer = write([])
    segment = writer.segment(10, 20, 5)
    assert (segment.generation, segment.logs, segment.chunks) == ("", 0, ())
    assert list(DigestItem.query(GENERATION)) == []


def test_counts_of_a_segment_are_stored() -> None:
    write(make_item(n, type=f"t{n % 3}") for n in range(30))
    [data] = stored(COUNTS)
    [group] = unpack_counts(data).groups.values()
    assert group.hours[0].values == {"t0": 10, "t1": 10, "t2": 10}


def test_counts_keep_the_largest_values_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MAX_BYTES", 4 * 1024)
    total = Counts()
    for n in range(300):
        for _ in range(2 if n == 17 else 1):
            total.add(make_item(n, user_id=noise(60, seed=n)))
    data = pack_counts(total)
    assert len(data) <= 4 * 1024
    [group] = unpack_counts(data).groups.values()
    tally = group.wide["user_id"]
    assert tally.total == 301
    assert 0 < len(tally.values) < 200
    assert tally.values[noise(60, seed=17)] == 2
    assert tally.number(noise(60, seed=17)) == (2, True)
    assert tally.number("another") == (0, False)


def test_types_of_a_day_fit_the_directory() -> None:
    day = Counts()
    for number in range(24 * 40):
        type_ = noise(300, seed=number % 40)[:300]
        day.add(make_item(number, type=type_, created_at=START + timedelta(minutes=1.5 * number)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counts, "MAX_BYTES", 2_000)
        day.trim_hours()
        assert len(counts._compressed(day)) <= 2_000
    [group] = day.groups.values()
    assert sum(tally.total for tally in group.hours.values()) == 24 * 40
    assert not group.wide


def test_counts_without_room_for_values_are_lower_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MAX_BYTES", 10)
    total = Counts()
    total.add(make_item(1))
    [group] = unpack_counts(pack_counts(total)).groups.values()
    assert group.wide["account_id"].number("7") == (0, False)
    assert group.wide["account_id"].total == 1
