"""Late items: logs that their range may have been built without."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from logs.digests.moments import MICROSECOND, to_moment, to_time
from logs.models import shard_statuses
from logs.storage import late_items
from logs.storage.digest_items import DigestItem
from logs.storage.errors import is_written
from logs.storage.horizon import HORIZON
from logs.storage.late_items import SEPARATOR
from logs.times import parse, to_text

THREADS = 8


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


def from_item(item: DigestItem) -> LateItem:
    """Return the late item that an item of the table holds."""
    time, _, log_id = item.sort.partition(SEPARATOR)
    return LateItem(to_moment(parse(time)), log_id, item.partition, item.written_at)


def delete(late: LateItem) -> None:
    """Delete a late item unless it was put again. Costs one DeleteItem."""
    key = DigestItem(late.partition, late.sort)
    is_written(lambda: key.delete(condition=DigestItem.written_at == late.written_at))


def delete_all(items: Sequence[LateItem]) -> None:
    """Delete late items, several at once. Costs a DeleteItem each."""
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(delete, items))


def delete_any(moment: int, log_id: str, status: str) -> None:
    """Delete the late item of a log, if there is one. Costs one DeleteItem."""
    key = LateItem(moment, log_id, late_items.partition(status), "")
    DigestItem(key.partition, key.sort).delete()
