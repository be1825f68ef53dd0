"""Text search: the logs of a merge whose URL or payload contains a text. No index projects the payload."""

import math
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from logs.models import LogItem
from logs.plan import Key, key_of
from logs.reading.merge import Merge
from logs.storage import documents, dynamodb, parts

if TYPE_CHECKING:
    from logs.reading.page import PageRead

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
MAX_BATCH_GET = 100
# A strongly consistent read.
READ_UNIT_BYTES = 4096


class TextSearch:
    """The logs of a merge that contain a text, in its order."""

    def __init__(self, read: "PageRead", merge: Merge, text: str) -> None:
        self._read = read
        self._merge = merge
        self._text = text
        self._cut: Key | None = None

    @property
    def cut(self) -> Key | None:
        """Return the last examined key, or None at the end of the order."""
        return self._cut or self._merge.cut

    def __iter__(self) -> Iterator[LogItem]:
        candidates = iter(self._merge)
        while chunk := list(islice(candidates, MAX_BATCH_GET)):
            matches = self._matches(chunk)
            yield from (item for item in chunk if item.id in matches)
            if self._read.is_spent_on_search and not self._merge.is_exhausted:
                self._cut = key_of(self._read.plan, chunk[-1], is_row=False)
                return

    def _matches(self, chunk: list[LogItem]) -> set[str]:
        """Return the ids of the logs that contain the text. Only the payload is fetched."""
        ids = {item.id for item in chunk if self._text in item.url}
        for item in self._fetch([item.id for item in chunk if item.id not in ids and item.payload_size]):
            if self._text in (documents.content(item)["payload_text"] or ""):
                ids.add(item.id)
        return ids

    def _fetch(self, ids: list[str]) -> Iterable[LogItem]:
        """Yield these logs with their documents, without those that were deleted in the meantime."""
        cost = self._read.cost
        table = LogItem.Meta.table_name
        keys = [{"id": log_id} for log_id in ids]
        while keys:
            [response] = self._read.request([partial(dynamodb.batch_get, LogItem, keys)])
            for raw in response["Responses"].get(table, []):
                item = LogItem.from_raw_data(raw)
                cost.payloads += 1
                self._join_parts(item)
                cost.payload_bytes += len(item.payload or "") + len(item.document or b"")
                yield item
            # DynamoDB leaves out what exceeds 16 MB, and what it throttles.
            unprocessed = response["UnprocessedKeys"].get(table, {}).get("Keys", [])
            keys = [{"id": key["id"]["S"]} for key in unprocessed]

    def _join_parts(self, item: LogItem) -> None:
        if documents.part_ids(item.id, item.document):
            self._read.call([partial(parts.join, item)])
            self._read.cost.queries += 1
            self._read.cost.read_units += math.ceil(len(item.document or b"") / READ_UNIT_BYTES)
