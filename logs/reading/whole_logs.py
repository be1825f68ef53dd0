"""Whole logs: fetched by their ids, with the content that no index projects."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from logs.models import LogItem
from logs.storage import documents, parts
from logs.storage.documents import Content
from logs.storage.dynamodb import MAX_BATCH_GET
from logs.storage.raw_items import to_log

if TYPE_CHECKING:
    from logs.reading.page import PageRead


class WholeLogs:
    """Fetches whole logs for one page, and counts them."""

    def __init__(self, read: "PageRead") -> None:
        self._read = read

    def chunk(self, rows: Iterator[LogItem]) -> list[LogItem]:
        """Return the next rows to fetch.

        They are as many as one BatchGetItem and the rest of the budget allow.
        """
        budget, cost = self._read.budget, self._read.cost
        number = max(1, min(MAX_BATCH_GET, budget.payloads - cost.payloads))
        size = 0.0
        chunk = []
        for row in islice(rows, number):
            chunk.append(row)
            size += row.payload_size or 0
            if size >= budget.payload_bytes - cost.payload_bytes:
                break
        return chunk

    def fetch(self, ids: list[str], *, consistent: bool = False) -> dict[str, LogItem]:
        """Return these logs by id, without those that do not exist or have expired.

        Costs one BatchGetItem for 100 ids, all at once, and one more for each response with unprocessed keys.
        """
        keys = [{"id": log_id} for log_id in dict.fromkeys(ids)]
        raws = self._read.get_all(LogItem, keys, consistent=consistent)
        items = map(to_log, raws)
        return {item.id: item for item in items if not item.is_expired}

    def content(self, item: LogItem) -> Content:
        """Return the content of a log that was fetched. Costs a BatchGetItem if it has parts."""
        if documents.part_ids(item.id, item.document):
            [usage] = self._read.call([lambda: parts.join(item)])
            self._read.cost.add_usage(usage)
        content = documents.content(item)
        self._read.cost.payloads += 1
        self._read.cost.payload_bytes += content.size
        return content
