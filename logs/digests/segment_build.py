"""Build and list one segment, or the counts of a closed day. Delete unlisted generations."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from logs.digests import directory, generations
from logs.digests.counts import Counts
from logs.digests.directory import Directory, ItemMissing, Segment
from logs.digests.segment_writer import SegmentWriter
from logs.digests.time_limit import SegmentLogs
from logs.search_text import search_text
from logs.storage import documents


class DirectoryFull(Exception):
    """The directory of a day has no room for another segment."""


class DayImporting(Exception):
    """An import writes into the day."""


def build_segment(day: date, start: int, logs: SegmentLogs, began: int) -> Segment | None:
    """Build the segment of a range and list it.

    It replaces those that it overlaps. Return None if it is not listed: a log of the day is being deleted, or
    was deleted, or another builder listed the range, since this one began. `began` is before the logs were
    read from the index. Raises DirectoryFull, DayImporting, directory.Conflict, directory.ItemMissing,
    time_limit.OutOfTime, PynamoDB's and botocore's errors.
    """
    generation, limit = directory.new_generation(day), logs.end

    def announced(current: Directory) -> Directory | None:
        if current.is_full and not current.overlapping(start, limit):
            raise DirectoryFull
        if current.is_importing:
            raise DayImporting
        return None if current.erasures else current.with_pending(generation)

    before = directory.change(day, announced)
    if before is None:
        return None
    writer = SegmentWriter(generation)
    # An eventually consistent read may return a log that was deleted a moment ago.
    for item in logs.read(consistent=before.edits > 0):
        writer.add(item, search_text(documents.content(item)))
    writer.finish()
    segment = writer.segment(start, logs.end, began)
    replaced = before.overlapping(start, segment.end)

    def with_segment(current: Directory) -> Directory | None:
        is_changed = current.overlapping(start, limit) != before.overlapping(start, limit)
        if is_changed or current.edits != before.edits or current.erasures:
            return None
        counts = _day_counts(current, replaced, writer.counts)
        return current.without_pending([generation]).with_segment(segment, counts)

    if directory.change(day, with_segment) is None:
        delete_unlisted(day, [generation])
        return None
    delete_unlisted(day, [each.generation for each in replaced if each.generation])
    return segment


def delete_unlisted(day: date, unlisted: Iterable[str]) -> Directory:
    """Delete generations, and forget them. Return the directory after that."""
    unlisted = list(unlisted)
    if not unlisted:
        return directory.read(day)
    for generation in unlisted:
        generations.delete(generation)
    return directory.update(day, lambda current: current.without_pending(unlisted))


def write_day_counts(day: date) -> None:
    """Write the counts of all values of a closed day, unless they exist.

    Does nothing if a segment has another format: its counts cannot be read.
    """
    current = directory.read(day)
    listed = [segment for segment in current.segments if segment.generation]
    if current.wide or not listed or len(current.readable) < len(current.segments):
        return
    try:
        counts = generations.read_counts(listed)
    except ItemMissing:
        # Another builder is at work. The next check of the day writes them.
        return
    generation = directory.new_generation(day)
    directory.update(day, lambda each: each.with_pending(generation))
    generations.write_counts(generation, counts, current.expires)

    def with_wide(each: Directory) -> Directory | None:
        if each.edits != current.edits or each.segments != current.segments or each.erasures:
            return None
        return replace(each.without_pending([generation]), wide=generation)

    if directory.change(day, with_wide) is None:
        delete_unlisted(day, [generation])


def _day_counts(current: Directory, replaced: list[Segment], counts: Counts) -> Counts:
    """Return the counts of a day by hour, with those of a new segment instead of replaced ones."""
    total = Counts()
    if any(segment.logs for segment in replaced):
        total.merge(generations.read_counts(each for each in current.segments if each not in replaced))
    else:
        total.merge(current.counts)
    total.merge(counts)
    total.trim_hours()
    return total
