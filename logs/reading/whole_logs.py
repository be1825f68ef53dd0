"""Whole logs: fetched by their ids, with the content that no index projects."""

from typing import TYPE_CHECKING

from logs.models import LogItem
from logs.storage import documents, parts
from logs.storage.documents import Content
from logs.storage.raw_items import to_log

if TYPE_CHECKING:
    from logs.reading.page import PageRead


class WholeLogs:
    """Fetches whole logs for one page, and counts them."""

    def __init__(self, read: "PageRead") -> None:
        self._read = read

    def fetch(self, ids: list[str]) -> dict[str, LogItem]:
        """Return these logs by id, without those that do not exist or have expired.

        Costs one BatchGetItem for 100 ids, all at once, and one more for each response with unprocessed keys.
        """
        raws = self._read.get_all(LogItem, [{"id": log_id} for log_id in dict.fromkeys(ids)])
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
