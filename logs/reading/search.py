"""Text search in an index: the logs of a merge that contain a text. No index projects the payload.

`logs.search_text` defines the texts that are searched.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from logs.models import LogItem
from logs.plan import Key, key_of
from logs.reading.log_match import LogMatch
from logs.reading.whole_logs import WholeLogs

if TYPE_CHECKING:
    from logs.reading.page import PageRead


class Candidates(Protocol):
    """The logs to search, such as a merge."""

    def __iter__(self) -> Iterator[LogItem]: ...

    @property
    def cut(self) -> Key | None:
        """Return the last examined key, or None at the end of the order."""

    @property
    def is_exhausted(self) -> bool:
        """Return whether every log was yielded."""


class TextSearch:
    """The logs of a merge that match as whole logs, in its order."""

    def __init__(self, read: "PageRead", merge: Candidates, match: LogMatch) -> None:
        self._read = read
        self._merge = merge
        self._match = match
        self._logs = WholeLogs(read)
        self._cut: Key | None = None

    @property
    def cut(self) -> Key | None:
        """Return the last examined key, or None at the end of the order."""
        return self._cut or self._merge.cut

    def __iter__(self) -> Iterator[LogItem]:
        candidates = iter(self._merge)
        while chunk := self._logs.chunk(candidates):
            in_row = {item.id for item in chunk if self._match.is_in_row(item)}
            logs = self._logs.fetch([item.id for item in chunk if item.id not in in_row])
            for item in chunk:
                log = item if item.id in in_row else logs.get(item.id)
                # Whole, if it was fetched: the page shows where its payload matches.
                if log and (log is item or self._match.is_in_content(self._logs.content(log))):
                    yield log
                is_last = item is chunk[-1]
                # Checked after each log: one payload can be as large as the whole budget.
                if self._read.is_spent_on_payloads or (is_last and self._read.is_spent):
                    if not (is_last and self._merge.is_exhausted):
                        self._cut = key_of(self._read.plan, item, is_row=False)
                    return
