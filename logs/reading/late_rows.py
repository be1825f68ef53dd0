"""The late logs that digests lack."""

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from logs.digests import blocks
from logs.digests.chunks import chunks_of
from logs.digests.directory import Segment
from logs.digests.late import LateItem
from logs.digests.moments import to_moment
from logs.digests.segment_writer import block_sort, chunk_sort, unpack_chunk
from logs.models import LogItem
from logs.plan import QueryPlan
from logs.reading.log_match import LogMatch
from logs.reading.whole_logs import WholeLogs

if TYPE_CHECKING:
    from logs.reading.page import PageRead


def late_rows(
    read: "PageRead", plan: QueryPlan, candidates: Collection[tuple[Segment, LateItem]]
) -> Iterator[LogItem]:
    """Yield the late logs that match a plan and are in no block.

    Costs a BatchGetItem for 100, and their blocks. Raises DigestsUnavailable and ItemMissing.
    """
    match = LogMatch(plan.by_digests())
    items = WholeLogs(read).fetch([each.log_id for _, each in candidates])
    missing: dict[Segment, dict[str, LogItem]] = {}
    for segment, each in candidates:
        item = items.get(each.log_id)
        if item and match.is_match(item):
            missing.setdefault(segment, {})[item.id] = item
    for segment, logs in missing.items():
        in_blocks = _in_blocks(read, segment, logs.values())
        yield from (item for log_id, item in logs.items() if log_id not in in_blocks)


def _in_blocks(read: "PageRead", segment: Segment, logs: Collection[LogItem]) -> set[str]:
    """Return the ids of the logs that the blocks of a segment have."""
    moments = {to_moment(item.created_at) for item in logs}
    numbers = {number for moment in moments for number in chunks_of(segment, moment)}
    heads = [
        head
        for data in _read_data(read, segment, map(chunk_sort, sorted(numbers)))
        for head, _ in unpack_chunk(data)
        if any(head.start <= moment <= head.end for moment in moments)
    ]
    data = _read_data(read, segment, [block_sort(head.number) for head in heads])
    return {entry.log_id for each in data for entry in blocks.unpack(each).entries}


def _read_data(read: "PageRead", segment: Segment, sorts: Iterable[str]) -> list[bytes]:
    keys = [{"partition": segment.generation, "sort": sort} for sort in sorts]
    return list(read.get_listed(keys).values())
