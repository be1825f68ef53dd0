"""A page of logs as the text of a response: JSON or NDJSON."""

import json
from collections.abc import Sequence
from typing import Any

from logs.exports.formats import json_line
from logs.models import LogItem
from logs.pages import schemas
from logs.pages.export import MAX_BYTES as MAX_BYTES
from logs.pages.response_size import encoded_size
from logs.storage import documents
from logs.storage.documents import Content


class WholeLogTexts:
    """The JSON of whole logs by id, as many as fit into a response."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._size = 0

    def add(self, item: LogItem, content: Content) -> bool:
        """Add a log if it fits; return whether it did. The first one is always added."""
        text = json_line(schemas.whole_fields(item, content), content)
        size = encoded_size(text)
        if self._texts and self._size + size > MAX_BYTES:
            return False
        self._texts[item.id] = text
        self._size += size
        return True

    def of(self, items: Sequence[LogItem]) -> list[str]:
        """Return the texts of logs that were added."""
        return [self._texts[item.id] for item in items]


def whole_text(item: LogItem) -> str:
    """Return the JSON of a whole log in one line."""
    content = documents.content(item)
    return json_line(schemas.whole_fields(item, content), content)


def row_texts(items: Sequence[LogItem]) -> list[str]:
    """Return the JSON of logs in a list, each in one line."""
    return [json_line(schemas.in_list(item)) for item in items]


def as_json(texts: Sequence[str], details: dict[str, Any]) -> str:
    """Return a page as LogPage describes it. `details` are its other fields."""
    return f'{{"items": [{", ".join(texts)}], {json.dumps(details)[1:]}'


def as_ndjson(texts: Sequence[str]) -> str:
    """Return the logs of a page, one in a line."""
    return "".join(f"{text}\n" for text in texts)
