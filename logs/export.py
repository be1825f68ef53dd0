"""The logs of a filter as a file, CSV or NDJSON: a small one, as far as one page's budget reaches."""

import csv
import io
import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Protocol

from django.utils.text import slugify

from logs import conf, cursor, reader, room, times
from logs.answer import Answer
from logs.forms import DEFAULT_LIMIT, parameters
from logs.merge import Budget, Cost
from logs.models import ROW_ATTRIBUTES, LogItem
from logs.plan import Position

logger = logging.getLogger(__name__)

# A Lambda function's response holds 6 MB, and API Gateway waits 29 s for it:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
MAX_BYTES = 5_000_000  # as `room.carried` counts them
MAX_SECONDS = 20.0
# With one of these first, a spreadsheet takes a cell for a formula:
# https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = tuple("=+-@\t\r\n＝＋－＠")
MAX_NAME = 100

# From a position to the address at which the export goes on there.
Address = Callable[[Position], str]


class Format(Protocol):
    """How rows become text."""

    content_type: str

    def head(self) -> str:
        """Return what stands before the rows."""

    def row(self, values: dict[str, Any]) -> str:
        """Return one row."""

    def foot(self, rows: int, reason: str | None, address: str | None) -> str:
        """Return what stands after the rows: for what reason it was cut, if it was, and where it goes on."""


class Csv:
    """CSV for spreadsheets (RFC 4180), with a byte order mark: Excel guesses at the encoding without."""

    content_type = "text/csv; charset=utf-8"

    def head(self) -> str:
        """Return the names of the columns."""
        return "\ufeff" + self._line(ROW_ATTRIBUTES)

    def row(self, values: dict[str, Any]) -> str:
        """Return a row in which no cell is a formula."""
        return self._line(_safe("" if value is None else str(value)) for value in values.values())

    def foot(self, rows: int, reason: str | None, address: str | None) -> str:
        """Return a line that is no row, where the export was cut."""
        return self._line([f"# Cut after {rows} rows: {reason}. It goes on at {address}"]) if reason else ""

    @staticmethod
    def _line(cells: Any) -> str:
        line = io.StringIO()
        csv.writer(line).writerow(cells)
        return line.getvalue()


class Ndjson:
    """One JSON object a line, and a last one, `_logsite`, that says whether this is all."""

    content_type = "application/x-ndjson"

    def head(self) -> str:
        """Return nothing."""
        return ""

    def row(self, values: dict[str, Any]) -> str:
        """Return a row."""
        return self._line(values)

    def foot(self, rows: int, reason: str | None, address: str | None) -> str:
        """Return the last line."""
        told = {"rows": rows, "complete": reason is None, "cut": reason, "next": address}
        return self._line({"_logsite": told})

    @staticmethod
    def _line(values: dict[str, Any]) -> str:
        return json.dumps(values, ensure_ascii=False) + "\n"


FORMATS: dict[str, Format] = {"csv": Csv(), "ndjson": Ndjson()}


def lines(found: Answer, form: Format, limit: int, address: Address) -> Iterator[str]:
    """Give the file's text, from a page of `limit` rows on; the last piece says if it was cut, and why."""
    began, most = time.monotonic(), conf.export_rows()
    rows, size, reason = 0, 0, None
    last: LogItem | None = None
    following: Position | None = None
    yield form.head()
    try:
        for answered in _pages(found, limit, began):
            for item in answered.page.items:
                line = form.row(_values(item))
                size += room.carried(line)
                if rows == most or (rows and size > MAX_BYTES):
                    reason = "a file holds no more"
                    break
                yield line
                rows, last = rows + 1, item
            if reason:
                break
            last, following = None, answered.page.next
        if following and not reason:
            reason = "no more is looked at for one file"
    except reader.StoreUnavailable as error:
        logger.error(reader.AWAY, error)
        reason = "the database does not answer"
    # Within a page it goes on after the last row, else where the page ended.
    onward = reader.after(found.plan, last) if last else following
    yield form.foot(rows, reason, address(onward) if reason and onward else None)


def _pages(found: Answer, limit: int, began: float) -> Iterator[Answer]:
    """Give the page and those after it, until the order, the budget or the time ends."""
    used = Cost()
    while True:
        yield found
        cost, onward = found.page.cost, found.page.next
        for name in ("examined", "payloads", "payload_bytes"):
            setattr(used, name, getattr(used, name) + getattr(cost, name))
        budget = _rest(conf.budget(), used, MAX_SECONDS - (time.monotonic() - began))
        if onward is None or not found.page.complete or budget is None:
            return
        found = Answer(found.plan, reader.read_page(found.plan, onward, limit, budget), onward)


def _rest(budget: Budget, used: Cost, seconds: float) -> Budget | None:
    """Return what is left of a budget, or None where nothing is."""
    rest = replace(
        budget,
        examined=budget.examined - used.examined,
        payloads=budget.payloads - used.payloads,
        payload_bytes=budget.payload_bytes - used.payload_bytes,
        seconds=seconds,
    )
    return rest if min(rest.examined, rest.payloads, rest.payload_bytes, rest.seconds) > 0 else None


def file_name(found: Answer, form: str) -> str:
    """Return a name in ASCII that says the filter."""
    values = parameters(found.plan.filter, DEFAULT_LIMIT)
    words = [
        f"{name}-{'-'.join([value] if isinstance(value, str) else value)}" for name, value in values.items()
    ]
    return f"{'-'.join(['logs', *map(slugify, words)])[:MAX_NAME].rstrip('-')}.{form}"


def with_cursor(found: Answer, position: Position, form: str) -> dict[str, Any]:
    """Return the parameters with which an export goes on."""
    values = parameters(found.plan.filter, DEFAULT_LIMIT)
    return {**values, "format": form, "cursor": cursor.encode(position, found.plan)}


def _values(item: LogItem) -> dict[str, Any]:
    values = {name: getattr(item, name) for name in ROW_ATTRIBUTES}
    return {**values, "created_at": times.to_text(item.created_at)}


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
