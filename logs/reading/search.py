"""Search in whole logs, for a text and for values within JSON.

No index projects the payload. `logs.search_text` defines the texts that are searched.
"""

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from logs.conditions import ELLIPSIS
from logs.models import LogItem
from logs.plan import Key, key_of
from logs.reading.merge import Merge
from logs.search_text import SearchText, search_text
from logs.storage import documents, dynamodb, parts
from logs.text_match import TextMatch

if TYPE_CHECKING:
    from logs.reading.page import PageRead

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
MAX_BATCH_GET = 100


class TextSearch:
    """The logs of a merge that match as whole logs, in its order."""

    def __init__(self, read: "PageRead", merge: Merge) -> None:
        self._read = read
        self._merge = merge
        log_filter = read.plan.filter
        text = log_filter.search_text
        self._match = None if text is None else TextMatch(text, log_filter.match_case)
        self._paths = log_filter.paths
        self._cut: Key | None = None

    @property
    def cut(self) -> Key | None:
        """Return the last examined key, or None at the end of the order."""
        return self._cut or self._merge.cut

    def __iter__(self) -> Iterator[LogItem]:
        candidates = iter(self._merge)
        while chunk := self._chunk(candidates):
            in_row = {item.id for item in chunk if self._is_in_row(item)}
            logs = self._fetch([item.id for item in chunk if item.id not in in_row])
            for item in chunk:
                if item.id in in_row or self._is_in_log(logs.get(item.id)):
                    yield item
                is_last = item is chunk[-1]
                # Checked after each log: one payload can be as large as the whole budget.
                if self._read.is_spent_on_payloads or (is_last and self._read.is_spent):
                    if not (is_last and self._merge.is_exhausted):
                        self._cut = key_of(self._read.plan, item, is_row=False)
                    return

    def _chunk(self, candidates: Iterator[LogItem]) -> list[LogItem]:
        """Return the next logs to fetch: one BatchGetItem, and what the rest of the budget allows."""
        budget, cost = self._read.budget, self._read.cost
        number = max(1, min(MAX_BATCH_GET, budget.payloads - cost.payloads))
        size = 0.0
        chunk = []
        for item in islice(candidates, number):
            chunk.append(item)
            size += item.payload_size or 0
            if size >= budget.payload_bytes - cost.payload_bytes:
                break
        return chunk

    def _is_in_row(self, item: LogItem) -> bool:
        """Return whether the row of a log is enough to see that it matches."""
        return not self._paths and self._match is not None and self._match.is_in(_row_text(item))

    def _is_in_log(self, item: LogItem | None) -> bool:
        """Return whether a whole log matches. Parts are fetched here."""
        if item is None:
            return False
        self._join_parts(item)
        content = documents.content(item)
        cost = self._read.cost
        cost.payloads += 1
        cost.payload_bytes += content.size
        if not all(each.matches(content) for each in self._paths):
            return False
        return self._match is None or self._match.is_in(search_text(content))

    def _fetch(self, ids: list[str]) -> dict[str, LogItem]:
        """Return these logs by id, without those that were deleted in the meantime."""
        table = LogItem.Meta.table_name
        keys = [{"id": log_id} for log_id in ids]
        logs: dict[str, LogItem] = {}
        while keys:
            [response] = self._read.request([partial(dynamodb.batch_get, LogItem, keys)])
            items = [LogItem.from_raw_data(raw) for raw in response["Responses"].get(table, [])]
            logs |= {item.id: item for item in items}
            # DynamoDB leaves out what exceeds 16 MB, and what it throttles.
            unprocessed = response["UnprocessedKeys"].get(table, {}).get("Keys", [])
            keys = [{"id": key["id"]["S"]} for key in unprocessed]
        return logs

    def _join_parts(self, item: LogItem) -> None:
        if documents.part_ids(item.id, item.document):
            [usage] = self._read.call([partial(parts.join, item)])
            self._read.cost.add_usage(usage)


def _row_text(item: LogItem) -> SearchText:
    """Return the searchable texts of a log's row that are whole."""
    return SearchText(
        url=_whole(item.url),
        summary=_whole(item.summary),
        user_name=_whole(item.user_name),
        account_name=_whole(item.account_name),
        object_name=_whole(item.object_name),
    )


def _whole(text: str | None) -> str:
    return "" if text is None or text.endswith(ELLIPSIS) else text
