"""A page whose logs are whole, with their payloads."""

from collections.abc import Callable
from dataclasses import replace

from logs.models import LogItem
from logs.plan import Around, Direction, PageQuery, Position, key_of
from logs.reading.page import Page, PageRead
from logs.reading.whole_logs import WholeLogs
from logs.storage import deadline
from logs.storage.documents import Content

# Takes a whole log with its content. Returns whether there was room for it.
Add = Callable[[LogItem, Content], bool]


class WholePage:
    """Replaces the rows of a page by whole logs.

    It begins at the row at which the page was read: the first row, the last row of a page that was read
    backwards, or the log of a page around it. The page ends where there is no room for the next log. Its
    cursors continue there.
    """

    def __init__(self, read: PageRead, query: PageQuery, page: Page) -> None:
        self._read = read
        self._page = page
        self._rows = page.items
        self._places = {row.id: number for number, row in enumerate(self._rows)}
        self._origin = self._place_of(query.start)
        self._is_around = isinstance(query.start, Around)
        self._logs = WholeLogs(read)

    def fetch(self, add: Add) -> Page:
        """Return the page of the whole logs that `add` took. It must take the first one.

        The page ends before the first log that it refuses, and where the budget of payloads ends. Logs that
        were deleted in the meantime are left out.

        Costs one BatchGetItem per 100 rows. Rows that a search has fetched cost nothing.
        """
        rows = iter(sorted(self._rows, key=lambda row: abs(self._places[row.id] - self._origin)))
        items: dict[int, LogItem] = {}
        read: list[int] = []
        while chunk := self._logs.chunk(rows):
            logs = self._whole(chunk)
            for row in chunk:
                number = self._places[row.id]
                if item := logs.get(row.id):
                    if not add(item, self._logs.content(item)):
                        return self._ended(items, read)
                    items[number] = item
                read.append(number)
                if self._is_spent:
                    return self._ended(items, read)
        return self._ended(items, read)

    def _place_of(self, start: Position | Around | None) -> int:
        """Return the number of the row at which the page was read."""
        match start:
            case Around(log_id):
                return self._places[log_id]
            case Position(Direction.PREVIOUS):
                return len(self._rows) - 1
        return 0

    @property
    def _is_spent(self) -> bool:
        """Return whether the payloads are spent. A search may have taken all seconds of the page's budget."""
        return self._read.budget.is_spent_on_payloads(self._read.cost, seconds=0) or deadline.is_over()

    def _whole(self, rows: list[LogItem]) -> dict[str, LogItem]:
        """Return the whole logs of rows by id."""
        logs = {row.id: row for row in rows if _is_whole(row)}
        ids = [row.id for row in rows if row.id not in logs]
        if ids:
            logs |= self._logs.fetch(ids)
        # An index may have a new log before each replica of the table has it.
        if missing := [log_id for log_id in ids if log_id not in logs]:
            logs |= self._logs.fetch(missing, consistent=True)
        return logs

    def _ended(self, items: dict[int, LogItem], read: list[int]) -> Page:
        """Return the page of the rows that were read. Its cursors continue at both ends."""
        page, rows, plan = self._page, self._rows, self._read.plan
        if not rows:
            return page
        page = replace(page, items=[items[number] for number in sorted(items)])
        first, last = min(read), max(read)
        if first > 0:
            previous = Position(Direction.PREVIOUS, key_of(plan, rows[first]))
            page = replace(page, previous=previous, complete=False, reached=rows[first].created_at)
        if last < len(rows) - 1:
            following = Position(Direction.NEXT, key_of(plan, rows[last]))
            page = replace(page, next=following, complete=False, reached=rows[last].created_at)
        return replace(page, reached=None) if self._is_around else page


def _is_whole(row: LogItem) -> bool:
    """Return whether a search has fetched a row: no index projects this time."""
    return "received_at" in row.attribute_values
