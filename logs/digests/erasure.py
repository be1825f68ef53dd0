"""Delete one log, and its text and counts from the digests.

The directory of its day announces the deletion from before until after it. Meanwhile nothing new is listed
there, and no counts of the day are read. If the deletion is interrupted, the next run of the builder finishes
it.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

from pynamodb.exceptions import PutError

from logs.digests import blocks, counts, directory, generations, late, state
from logs.digests.chunks import chunks_of
from logs.digests.counts import COUNTS
from logs.digests.directory import Directory, Erasure, Segment
from logs.digests.moments import MICROSECOND, day_of, to_moment
from logs.digests.segment_writer import block_sort, chunk_sort, unpack_chunk
from logs.models import LogItem
from logs.storage import digest_items, parts
from logs.storage.digest_items import DigestItem, has_version
from logs.storage.errors import is_written

# Others may change the same item at the same time.
ATTEMPTS = 20
# How often the items of a builder at work are deleted again, and the time in between.
PASSES, WAIT_SECONDS = 10, 0.5
# A deletion that began before this and did not delete its log was interrupted.
MAX_DURATION = timedelta(minutes=10) // MICROSECOND


def delete(log_id: str) -> None:
    """Delete a log, its parts, and all that the digests hold of it.

    Without digests, or without their table, it deletes the log and its parts. Costs about twelve requests.
    Raises LogItem.DoesNotExist, directory.Conflict, PynamoDB's and botocore's errors.
    """
    item = LogItem.get(log_id, consistent_read=True)
    if not (digest_items.is_on() and _announce(item)):
        parts.delete(item.id)
        return
    parts.delete(item.id)
    _erase(item)


def _announce(item: LogItem) -> bool:
    """Announce a deletion; return False if there is no table of digests."""
    day = day_of(to_moment(item.created_at))
    try:
        state.request_check(day)
    except PutError as error:
        if error.cause_response_code != "ResourceNotFoundException":
            raise
        return False
    directory.update(day, lambda current: _announced(current, item))
    return True


def _announced(current: Directory, item: LogItem) -> Directory:
    erasure = Erasure(to_moment(item.created_at), item.status, to_moment(datetime.now(UTC)))
    return replace(current, erasures={**current.erasures, item.id: erasure}, edits=current.edits + 1)


def _erase(item: LogItem) -> None:
    """Delete a log that no longer exists from the digests of its day."""
    moment = to_moment(item.created_at)
    day = day_of(moment)

    def fence(current: Directory) -> Directory:
        # A builder that began after the announcement may have read the log before the deletion. It may also
        # have ended the announcement.
        announced = _announced(current, item)
        if all(each.is_readable for each in current.overlapping(moment, moment + 1)):
            return announced
        # Digests of another format cannot be changed.
        return without_segments(announced, moment)

    current = directory.update(day, fence)
    counted = [each for each in current.overlapping(moment, moment + 1) if _erase_from(each, item)]
    if counted and current.wide:
        _change_counts(current.wide, item)
    _delete_pending(current)
    late.delete_any(moment, item.id, item.status)

    def forget(current: Directory) -> Directory:
        # A segment that was replaced in the meantime was built, and counted, without the log.
        if any(each in current.segments for each in counted):
            current.counts.remove(item)
        return _ended(current, item.id)

    directory.update(day, forget)


def _delete_pending(current: Directory) -> None:
    """Delete the items of all pending generations, until none has any.

    A builder at work puts further items before it notices the deletion. They stay pending: it deletes them
    when it gives up, or the next run does. So does this process, for some seconds.
    """
    pending = list(current.pending)
    for _ in range(PASSES):
        pending = [each for each in pending if generations.delete(each)]
        if not pending:
            return
        time.sleep(WAIT_SECONDS)


def _ended(current: Directory, log_id: str) -> Directory:
    erasures = {each: erasure for each, erasure in current.erasures.items() if each != log_id}
    return replace(current, erasures=erasures, edits=current.edits + 1)


def without_segments(current: Directory, moment: int) -> Directory:
    """Return a directory without the segments of a moment, and without their counts.

    It is without the segments of another format too: their counts cannot be read, so the counts of the day
    would lack them. The builder builds all of them again.
    """
    dropped = current.overlapping(moment, moment + 1)
    kept = current.without(each for each in current.segments if each in dropped or not each.is_readable)
    return replace(kept, counts=generations.read_counts(kept.segments))


def recover(day: date, log_id: str, erasure: Erasure) -> None:
    """Finish a deletion that was interrupted.

    If the log is gone, the segment that may hold its text is dropped. The counts of the log are not known
    any more, so the segment is built again. If the log still exists, the deletion may be at work: it ends
    after MAX_DURATION.
    """
    is_deleted = not LogItem.count(log_id, consistent_read=True)
    if not is_deleted and to_moment(datetime.now(UTC)) - erasure.began < MAX_DURATION:
        return

    def drop(current: Directory) -> Directory:
        return _ended(without_segments(current, erasure.moment) if is_deleted else current, log_id)

    directory.update(day, drop)
    if is_deleted:
        late.delete_any(erasure.moment, log_id, erasure.status)


def _erase_from(segment: Segment, item: LogItem) -> bool:
    """Delete a log from its block and from the counts of a segment. Return whether it was there."""
    moment = to_moment(item.created_at)
    for number in chunks_of(segment, moment):
        chunk = _get(segment.generation, chunk_sort(number))
        for head, _ in unpack_chunk(chunk.data) if chunk else ():
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


def _get(partition: str, sort: str) -> DigestItem | None:
    """Return an item of a generation. It is None if a builder replaced the generation, or if it expired."""
    try:
        return DigestItem.get(partition, sort, consistent_read=True)
    except DigestItem.DoesNotExist:
        return None


def _change(partition: str, sort: str, edit: Callable[[bytes], bytes | None]) -> bool:
    """Change the data of an item unless `edit` returns None; return whether it was changed."""
    for _ in range(ATTEMPTS):
        item = _get(partition, sort)
        data = edit(item.data) if item else None
        if item is None or data is None:
            return False
        version = int(item.version or 0)
        condition = DigestItem.partition.exists() & has_version(version)
        item.data, item.version = data, version + 1
        if is_written(partial(item.save, condition=condition)):
            return True
    raise directory.Conflict
