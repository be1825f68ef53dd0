"""Delete one log, and its text and counts from the digests."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from pynamodb.exceptions import PutError

from logs.digests import blocks, counts, directory, generations, late
from logs.digests.chunks import chunks_of
from logs.digests.counts import COUNTS
from logs.digests.directory import Directory, Segment
from logs.digests.moments import day_of, to_moment
from logs.digests.segment_writer import block_sort, chunk_sort, unpack_chunk
from logs.models import LogItem
from logs.storage import parts
from logs.storage.digest_items import DigestItem

# Others may change the same item at the same time.
ATTEMPTS = 20


def delete(log_id: str) -> None:
    """Delete a log, its parts, and all that the digests hold of it.

    The directory names the log until the end, so if this is interrupted, the next run of the builder finishes
    it. Costs about ten requests. Raises LogItem.DoesNotExist, directory.Conflict, PynamoDB's and botocore's
    errors.
    """
    item = LogItem.get(log_id, consistent_read=True)
    moment = to_moment(item.created_at)
    day = day_of(moment)

    def announce(current: Directory) -> Directory:
        return replace(
            current, erasures={**current.erasures, item.id: (moment, item.status)}, edits=current.edits + 1
        )

    def fence(current: Directory) -> Directory:
        # A builder that began after the announcement may have read the log before the deletion.
        return replace(current, edits=current.edits + 1)

    directory.update(day, announce)
    parts.delete(item.id)
    current = directory.update(day, fence)
    is_counted = any(_erase(segment, item) for segment in current.overlapping(moment, moment + 1))
    if is_counted and current.wide:
        _change_counts(current.wide, item)
    for generation in current.pending:
        # It stays pending: a builder at work may put further items before it gives up.
        generations.delete(generation)
    late.delete_any(moment, item.id, item.status)

    def forget(current: Directory) -> Directory:
        if is_counted:
            current.counts.remove(item)
        erasures = {log: at for log, at in current.erasures.items() if log != item.id}
        return replace(current, erasures=erasures, edits=current.edits + 1)

    directory.update(day, forget)


def recover(day: date, log_id: str, moment: int, status: str) -> None:
    """Finish a deletion that was interrupted.

    If the log is gone, the segment that may hold its text is dropped. The counts of the log are not known
    any more, so the segment is built again.
    """
    is_deleted = not LogItem.count(log_id, consistent_read=True)

    def drop(current: Directory) -> Directory:
        erasures = {log: at for log, at in current.erasures.items() if log != log_id}
        current = replace(current, erasures=erasures, edits=current.edits + 1)
        if not is_deleted:
            return current
        dropped = current.without_segments(moment, moment + 1)
        return replace(dropped, counts=generations.read_counts(dropped.segments))

    directory.update(day, drop)
    if is_deleted:
        late.delete_any(moment, log_id, status)


def _erase(segment: Segment, item: LogItem) -> bool:
    """Delete a log from its block and from the counts of a segment. Return whether it was there."""
    moment = to_moment(item.created_at)
    for number in chunks_of(segment, moment):
        chunk = DigestItem.get(segment.generation, chunk_sort(number), consistent_read=True)
        for head, _ in unpack_chunk(chunk.data):
            if head.start <= moment <= head.end and _erase_block(segment, head.number, item.id):
                _change_counts(segment.generation, item)
                return True
    return False


def _erase_block(segment: Segment, number: int, log_id: str) -> bool:
    """Delete a log from a block, if it is there; return whether it was."""

    def edit(data: bytes) -> bytes | None:
        block = blocks.unpack(data)
        if all(entry.log_id != log_id for entry in block.entries):
            return None
        return blocks.pack(blocks.without(block, log_id))

    return _change(segment.generation, block_sort(number), edit)


def _change_counts(generation: str, item: LogItem) -> None:
    """Count a log less in a segment, or in a closed day."""

    def edit(data: bytes) -> bytes:
        changed = counts.unpack_counts(data)
        changed.remove(item)
        return counts.pack_counts(changed)

    _change(generation, COUNTS, edit)


def _change(partition: str, sort: str, edit: Callable[[bytes], bytes | None]) -> bool:
    """Change the data of an item unless `edit` returns None; return whether it was changed."""
    for _ in range(ATTEMPTS):
        item = DigestItem.get(partition, sort, consistent_read=True)
        data = edit(item.data)
        if data is None:
            return False
        version = item.version
        condition = DigestItem.partition.exists() & (
            DigestItem.version == version if version else DigestItem.version.does_not_exist()
        )
        item.data, item.version = data, int(version or 0) + 1
        try:
            item.save(condition=condition)
        except PutError as error:
            if error.cause_response_code != "ConditionalCheckFailedException":
                raise
            continue
        return True
    raise directory.Conflict
