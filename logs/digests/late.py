"""Late items: logs that were written when their range of time may have had digests already."""

from collections.abc import Iterator
from dataclasses import dataclass

from pynamodb.exceptions import DeleteError

from logs.digests import source
from logs.digests.moments import MICROSECOND, to_moment, to_time
from logs.models import STATUS
from logs.storage.digest_items import DAYS, DigestItem
from logs.storage.horizon import HORIZON
from logs.times import parse, to_text

SEPARATOR = "#"


@dataclass(frozen=True, order=True)
class LateItem:
    """A late log: its moment and id, its partition in the table of digests, and when its item was put."""

    moment: int
    log_id: str
    partition: str
    written_at: str

    @property
    def written(self) -> int:
        """Return the moment when the item was put."""
        return to_moment(parse(self.written_at))

    def is_settled(self, began: int) -> bool:
        """Return whether a builder that began at a moment has read the log, if the log exists."""
        return self.written <= began - HORIZON // MICROSECOND

    @property
    def sort(self) -> str:
        """Return the sort key of the item."""
        return f"{to_text(to_time(self.moment))}{SEPARATOR}{self.log_id}"


def partitions() -> list[str]:
    """Return the partitions of late items: one per sorting shard."""
    return [DAYS + status.removeprefix(STATUS) for status in source.statuses()]


def from_item(item: DigestItem) -> LateItem:
    """Return the late item that an item of the table holds."""
    time, _, log_id = item.sort.partition(SEPARATOR)
    return LateItem(to_moment(parse(time)), log_id, item.partition, item.written_at)


def read(start: int, end: int) -> Iterator[LateItem]:
    """Yield the late items with `start` ≤ moment < `end`, partition by partition.

    Costs a Query per 1 MB, at least one per shard.
    """
    low, high = to_text(to_time(start)), to_text(to_time(end))
    for partition in partitions():
        # A sort key of the same moment as `high` is greater than `high`, because it has an id.
        query = DigestItem.query(partition, DigestItem.sort.between(low, high), consistent_read=True)
        for item in query:
            if item.written_at is not None:
                yield from_item(item)


def delete(late: LateItem) -> None:
    """Delete a late item unless it was put again. Costs one DeleteItem."""
    key = DigestItem(late.partition, late.sort)
    try:
        key.delete(condition=DigestItem.written_at == late.written_at)
    except DeleteError as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise


def delete_all(moment: int, log_id: str) -> None:
    """Delete the late items of a log. Costs one DeleteItem per shard."""
    for partition in partitions():
        DigestItem(partition, LateItem(moment, log_id, partition, "").sort).delete()
