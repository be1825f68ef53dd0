"""The items of a generation: delete them, and read the counts of segments."""

import time
from collections.abc import Container, Iterable
from datetime import UTC, datetime

from logs.digests.counts import COUNTS, Counts, pack_counts, unpack_counts
from logs.digests.directory import Directory, ItemMissing, Segment, has_expired
from logs.storage import dynamodb
from logs.storage.digest_items import DigestItem


def delete(generation: str) -> bool:
    """Delete all items of a generation. Return whether it had any.

    Costs the read units of the whole generation, and as many write units as its items took. Raises PynamoDB's
    errors.
    """
    keys = DigestItem.query(generation, attributes_to_get=["partition", "sort"], consistent_read=True)
    has_items = False
    with DigestItem.batch_write() as batch:
        for item in keys:
            has_items = True
            batch.delete(DigestItem(item.partition, item.sort))
    return has_items


def check_items(keys: Iterable[dict[str, str]], existing: Container[tuple[str, str]]) -> None:
    """Raise ItemMissing if an item of a listed generation does not exist.

    The items are named by partition and sort key.
    """
    for key in keys:
        if (key["partition"], key["sort"]) not in existing:
            raise ItemMissing(key["partition"])


def counts_keys(segments: Iterable[Segment]) -> list[dict[str, str]]:
    """Return the keys of the counts of readable segments that have not expired."""
    now = time.time()
    generations = {
        each.generation
        for each in segments
        if each.generation and each.is_readable and not has_expired(each.expires, now)
    }
    return [{"partition": each, "sort": COUNTS} for each in sorted(generations)]


def day_counts_keys(current: Directory) -> list[dict[str, str]]:
    """Return the keys of the counts of a day. A closed day has one."""
    if not current.wide:
        return counts_keys(current.segments)
    if has_expired(current.expires, time.time()):
        return []
    return [{"partition": current.wide, "sort": COUNTS}]


def read_counts(segments: Iterable[Segment]) -> Counts:
    """Return the sum of the counts of segments that have not expired. Raises ItemMissing.

    Costs one BatchGetItem per 100 segments.
    """
    keys = counts_keys(segments)
    items = [
        DigestItem.from_raw_data(raw) for raw in dynamodb.batch_get_all(DigestItem, keys, consistent=True)
    ]
    check_items(keys, {(item.partition, item.sort) for item in items})
    total = Counts()
    for item in items:
        total.merge(unpack_counts(item.data))
    return total


def write_counts(generation: str, counts: Counts, expires: int | None) -> None:
    """Write the counts of a closed day. `expires` is in seconds since 1970, or None for never."""
    expires_at = None if expires is None else datetime.fromtimestamp(expires, UTC)
    DigestItem(generation, COUNTS, data=pack_counts(counts), expires_at=expires_at).save()
