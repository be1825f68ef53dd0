"""Exports: the logs of a filter as CSV or NDJSON, within a budget."""

import csv
import io
import json
import logging
import re
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from django.utils.text import slugify

from logs import conf, cursor, reader, times
from logs.characters import is_invisible
from logs.filters import LogFilter
from logs.form_fields import DEFAULT_LIMIT
from logs.forms import parameters
from logs.models import ROW_ATTRIBUTES, LogItem
from logs.pages.links import query_string
from logs.pages.response_size import encoded_size
from logs.plan import Position
from logs.reader import PageResult
from logs.reading.budget import Cost
from logs.storage.errors import UNAVAILABLE, StoreUnavailable

logger = logging.getLogger(__name__)

# A Lambda function's response holds 6 MB, and API Gateway waits 29 s for it:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
MAX_BYTES = 5_000_000  # of `response_size.encoded_size`
MAX_SECONDS = 20.0
# A spreadsheet reads a cell that begins with one of these as a formula, also if an invisible character or a
# quote comes first: https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = "=+-@\N{MINUS SIGN}"
# Not only at a comma: spreadsheets ask the user, or the system's locale, where a cell begins.
SEPARATORS = re.compile("([;|\t\n\x0b\x0c\r\x1c-\x1e\x85\u2028\u2029])")
# Some spreadsheets skip these at the beginning of a cell.
LEADING_BREAKS = ("\t", "\r", "\n")
MAX_NAME = 100

# From a position to the address where the export continues.
Address = Callable[[Position], str]


class Format(Protocol):
    """How rows become text."""

    content_type: str

    def head(self) -> str:
        """Return the text before the rows."""

    def row(self, values: dict[str, Any]) -> str:
        """Return one row."""

    def foot(self, rows: int, reason: str | None, address: str | None) -> str:
        """Return the text after the rows.

        `reason` is set if the file is incomplete, and `address` is where it continues.
        """


class Csv:
    """CSV for spreadsheets (RFC 4180). Without the byte order mark, Excel guesses the encoding."""

    content_type = "text/csv; charset=utf-8"

    def head(self) -> str:
        """Return the names of the columns."""
        return "\ufeff" + self._line(ROW_ATTRIBUTES)

    def row(self, values: dict[str, Any]) -> str:
        """Return a row in which no cell is a formula."""
        return self._line("" if value is None else str(value) for value in values.values())

    def foot(self, rows: int, reason: str | None, address: str | None) -> str:
        """Return a comment line if the file is incomplete."""
        return (
            self._line([f"# Truncated after {rows} rows: {reason}. Continue at {address}"]) if reason else ""
        )

    @staticmethod
    def _line(cells: Iterable[str]) -> str:
        line = io.StringIO()
        csv.writer(line).writerow(map(neutralize, cells))
        return line.getvalue()


class Ndjson:
    """One JSON object a line. The last line, `_logsite`, says whether the file is complete."""

    content_type = "application/x-ndjson"

    def head(self) -> str:
        """Return an empty text."""
        return ""

    def row(self, values: dict[str, Any]) -> str:
        """Return a row."""
        return self._line(values)

    def foot(self, rows: int, reason: str | None, address: str | None) -> str:
        """Return the last line."""
        summary = {"rows": rows, "complete": reason is None, "cut": reason, "next": address}
        return self._line({"_logsite": summary})

    @staticmethod
    def _line(values: dict[str, Any]) -> str:
        return json.dumps(values, ensure_ascii=False) + "\n"


FORMATS: dict[str, Format] = {"csv": Csv(), "ndjson": Ndjson()}


def lines(first: PageResult, form: Format, address: Address) -> Iterator[str]:
    """Yield the text of a file that begins with a page.

    The last piece says if the file is incomplete, and why.
    """
    started, max_rows = time.monotonic(), conf.export_rows()
    rows, size, reason = 0, 0, None
    last: LogItem | None = None
    following: Position | None = None
    yield form.head()
    try:
        for result in _pages(first, started):
            for item in result.page.items:
                line = form.row(_values(item))
                size += encoded_size(line)
                if rows == max_rows or (rows and size > MAX_BYTES):
                    reason = "a file holds no more"
                    break
                yield line
                rows, last = rows + 1, item
            if reason:
                break
            last, following = None, result.page.next
        if following and not reason:
            reason = "the budget of one file is spent"
    except StoreUnavailable as error:
        logger.error(UNAVAILABLE, error)
        reason = "the database does not answer"
    # Within a page the file continues after its last row, otherwise at the end of the page.
    onward = reader.after(first.plan, last) if last else following
    yield form.foot(rows, reason, address(onward) if reason and onward else None)


def _pages(result: PageResult, started: float) -> Iterator[PageResult]:
    """Yield a page and its successors until the order, the budget or the time ends."""
    cost = Cost()
    while True:
        yield result
        page = result.page
        cost += page.cost
        budget = conf.budget().remaining(cost, MAX_SECONDS - (time.monotonic() - started))
        if page.next is None or not page.complete or budget is None:
            return
        result = reader.read(result.query.at(page.next), budget)


def file_name(log_filter: LogFilter, kind: str) -> str:
    """Return a file name in ASCII that names the filter."""
    values = parameters(log_filter, DEFAULT_LIMIT)
    words = [
        f"{name}-{'-'.join([value] if isinstance(value, str) else value)}" for name, value in values.items()
    ]
    return f"{'-'.join(['logs', *map(slugify, words)])[:MAX_NAME].rstrip('-')}.{kind}"


def continuation(result: PageResult, position: Position, kind: str) -> str:
    """Return the query string with which an export continues at a position."""
    return query_string(result.plan.filter, format=kind, cursor=cursor.encode(position, result.plan))


def _values(item: LogItem) -> dict[str, Any]:
    values = {name: getattr(item, name) for name in ROW_ATTRIBUTES}
    return {**values, "created_at": times.to_text(item.created_at)}


def neutralize(text: str) -> str:
    """Return a cell's text with an apostrophe before each formula.

    A formula may begin the cell, or a part of it after one of SEPARATORS. The text is unchanged otherwise.
    """
    if text.isalnum():
        return text
    # Parts and separators alternate.
    pieces = [f"'{piece}" if _is_formula(piece) else piece for piece in SEPARATORS.split(text)]
    return ("'" if text.startswith(LEADING_BREAKS) else "") + "".join(pieces)


def _is_formula(part: str) -> bool:
    """Return whether the first visible character of a part begins a formula.

    Full-width characters and other forms of the same character count.
    """
    for character in part:
        if character in ' "' or is_invisible(character):
            continue
        return unicodedata.normalize("NFKC", character)[0] in FORMULA
    return False
