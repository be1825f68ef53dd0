"""The items of a generation: delete them, and read the counts of segments."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime

from logs.digests.counts import COUNTS, Counts, pack_counts, unpack_counts
from logs.digests.directory import Directory, Segment
from logs.storage import dynamodb
from logs.storage.digest_items import DigestItem


class Missing(Exception):
    """A listed generation lacks an item: it was replaced, or has expired."""

    def __str__(self) -> str:
        return str(self.__doc__)


def delete(generation: str) -> None:
    """Delete all items of a generation.

    Costs the read units of the whole generation, and as many write units as its items took. Raises PynamoDB's
    errors.
    """
    keys = DigestItem.query(generation, attributes_to_get=["partition", "sort"], consistent_read=True)
    with DigestItem.batch_write() as batch:
        for item in keys:
            batch.delete(DigestItem(item.partition, item.sort))


def read_counts(segments: Iterable[Segment]) -> Counts:
    """Return the sum of the counts of segments that have not expired. Raises Missing.

    Costs one BatchGetItem per 100 segments.
    """
    now = time.time()
    generations = {
        each.generation
        for each in segments
        if each.generation and (each.expires is None or each.expires > now)
    }
    keys = [{"partition": each, "sort": COUNTS} for each in sorted(generations)]
    items = [
        DigestItem.from_raw_data(raw) for raw in dynamodb.batch_get_all(DigestItem, keys, consistent=True)
    ]
    if len(items) < len(keys):
        raise Missing
    total = Counts()
    for item in items:
        total.merge(unpack_counts(item.data))
    return total


def read_day_counts(current: Directory) -> Counts:
    """Return the counts of all values of a day. Raises Missing.

    Costs a GetItem for a closed day, and otherwise a BatchGetItem per 100 segments.
    """
    if not current.wide:
        return read_counts(current.segments)
    try:
        item = DigestItem.get(current.wide, COUNTS, consistent_read=True)
    except DigestItem.DoesNotExist:
        raise Missing from None
    return unpack_counts(item.data)


def write_counts(generation: str, counts: Counts, expires: int | None) -> None:
    """Write the counts of a closed day. `expires` is in seconds since 1970, or None for never."""
    expires_at = None if expires is None else datetime.fromtimestamp(expires, UTC)
    DigestItem(generation, COUNTS, data=pack_counts(counts), expires_at=expires_at).save()
