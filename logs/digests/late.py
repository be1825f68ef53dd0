"""Late items: logs that their range may have been built without."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

from logs.digests.moments import MICROSECOND, to_moment, to_time
from logs.models import shard_statuses
from logs.storage import late_items
from logs.storage.digest_items import DigestItem
from logs.storage.errors import is_written
from logs.storage.horizon import HORIZON
from logs.storage.late_items import SEPARATOR
from logs.times import parse, to_text

THREADS = 8
# Late items that are deleted between two checks of the time: about a second.
DELETED_AT_ONCE = 500


@dataclass(frozen=True, order=True)
class LateItem:
    """A late log.

    `partition` is that of its item in the table of digests, `written_at` when the item was put.
    """

    moment: int
    log_id: str
    partition: str
    written_at: str

    @property
    def written(self) -> int:
        """Return the moment when the item was put."""
        return to_moment(parse(self.written_at))

    def is_settled(self, began: int) -> bool:
        """Return whether a builder that began at a moment has read the log."""
        return self.written <= began - HORIZON // MICROSECOND

    @property
    def sort(self) -> str:
        """Return the sort key of the item."""
        return f"{to_text(to_time(self.moment))}{SEPARATOR}{self.log_id}"


def partitions(shards: int) -> list[str]:
    """Return the partitions of late items: one per sorting shard."""
    return [late_items.partition(status) for status in shard_statuses(shards)]


def is_late(raw: dict[str, Any]) -> bool:
    """Return whether a raw item is a late item. Directories are in the same partition."""
    return "written_at" in raw


def from_raw(raw: dict[str, Any]) -> LateItem:
    """Return the late item that a raw item of the table holds."""
    time, _, log_id = raw["sort"]["S"].partition(SEPARATOR)
    return LateItem(to_moment(parse(time)), log_id, raw["partition"]["S"], raw["written_at"]["S"])


def stream(start: int, end: int, shards: int) -> Iterator[LateItem]:
    """Yield the late items of a range, shard by shard.

    The range is `start` ≤ moment < `end`. Costs a consistent Query per sorting shard, and one more for each
    1 MB. Raises PynamoDB's errors.
    """
    # A late item has an id after its time.
    low, high = to_text(to_time(start)), to_text(to_time(end))
    for partition in partitions(shards):
        condition = DigestItem.sort.between(low, high)
        for page in DigestItem.query(partition, condition, consistent_read=True).page_iter:
            yield from (from_raw(raw) for raw in page["Items"] if is_late(raw))


def delete(late: LateItem) -> None:
    """Delete a late item unless it was put again. Costs one DeleteItem."""
    key = DigestItem(late.partition, late.sort)
    is_written(lambda: key.delete(condition=DigestItem.written_at == late.written_at))


def delete_all(items: Iterable[LateItem], check_time: Callable[[], None] = lambda: None) -> int:
    """Delete late items, several at once; return their number. Costs a DeleteItem each.

    `check_time` is called before each group, and may raise an error: the others stay.
    """
    number, rest = 0, iter(items)
    with ThreadPoolExecutor(THREADS) as pool:
        while group := list(islice(rest, DELETED_AT_ONCE)):
            check_time()
            list(pool.map(delete, group))
            number += len(group)
    return number


def delete_any(moment: int, log_id: str, status: str) -> None:
    """Delete the late item of a log, if there is one. Costs one DeleteItem."""
    key = LateItem(moment, log_id, late_items.partition(status), "")
    DigestItem(key.partition, key.sort).delete()
