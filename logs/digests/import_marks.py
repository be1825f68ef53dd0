"""Marks of days that an import writes into.

An import writes logs into closed ranges of time without late items. So it marks a day in its directory before
it writes the first log of that day. The mark drops all digests of the day, and none are built while it is
valid: the day is read from the index. The import ends its marks when the index has its logs, and the builder
builds the day again. A killed import leaves its marks, so no digests hide its logs. They end by themselves
after directory.IMPORT_LEASE: an import that continues later marks the days again before it writes.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from pynamodb.exceptions import PynamoDBException

from logs.digests import directory
from logs.digests.counts import Counts
from logs.digests.directory import Directory
from logs.digests.moments import MICROSECOND, to_moment

# A process renews a mark before it writes a log, if the mark is older than this. The rest of the lease is for
# writing a group of logs, and for the difference of clocks.
RENEWAL = timedelta(hours=1)


def begin(day: date, import_id: str) -> None:
    """Mark a day, and drop its digests. Costs a consistent GetItem, and a PutItem unless the mark is new.

    Does nothing without a table of digests. Raises directory.Conflict and PynamoDB's errors.
    """
    now = to_moment(datetime.now(UTC))

    def mark(current: Directory) -> Directory | None:
        age = now - current.imports.get(import_id, 0)
        if age < RENEWAL // MICROSECOND and not current.segments:
            return None
        marked = current.without(current.segments)
        imports = {**current.imports, import_id: now}
        return replace(marked, counts=Counts(), imports=imports, edits=current.edits + 1)

    _change(day, mark)


def end(day: date, import_id: str) -> None:
    """End the mark of a day, whose digests can be built again. The costs and errors are those of `begin`."""

    def unmark(current: Directory) -> Directory | None:
        if import_id not in current.imports:
            return None
        imports = {each: renewed for each, renewed in current.imports.items() if each != import_id}
        return replace(current, imports=imports, edits=current.edits + 1)

    _change(day, unmark)


def _change(day: date, edit: Callable[[Directory], Directory | None]) -> None:
    try:
        directory.change(day, edit)
    except PynamoDBException as error:
        if error.cause_response_code != "ResourceNotFoundException":
            raise
