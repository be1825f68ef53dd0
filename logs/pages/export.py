"""Files in one response: the logs of a filter, within a budget."""

import logging
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from datetime import tzinfo
from itertools import accumulate

from django.utils.http import content_disposition_header
from django.utils.text import slugify

from logs import conf, cursor, reader
from logs.exports.chunks import BEGINNING, chunks
from logs.exports.spec import Spec
from logs.filters import LogFilter
from logs.form_fields import DEFAULT_LIMIT
from logs.forms import parameters
from logs.models import LogItem
from logs.pages.links import query_string
from logs.pages.response_size import encoded_size
from logs.plan import PageQuery, Position
from logs.reader import PageResult
from logs.reading.budget import Budget, Cost
from logs.reading.page import MAX_SECONDS as MAX_PAGE_SECONDS
from logs.storage.errors import UNAVAILABLE, StoreUnavailable, store_unavailable

# Pages of files are read while others become text.
_POOL = ThreadPoolExecutor(8, thread_name_prefix="logs-exports")

logger = logging.getLogger(__name__)

# A Lambda function's response holds 6 MB, and API Gateway waits 29 s for it:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
MAX_BYTES = 5_000_000  # of `response_size.encoded_size`
MAX_SECONDS = 20.0
# Then a whole file becomes an export in the background, which takes a few requests more.
MAX_WHOLE_SECONDS = 3.0
MAX_NAME = 100

# From a position to the address where the export continues.
Address = Callable[[Position], str]


def lines(first: PageResult, spec: Spec, address: Address) -> Iterator[str]:
    """Yield the text of a file that begins with a page, page by page. `spec` has no payloads.

    The last piece says if the file is incomplete, and why.
    """
    started, max_rows = time.monotonic(), conf.export_rows()
    rows, size, reason = 0, 0, None
    last: LogItem | None = None
    following: Position | None = None
    yield spec.head()
    try:
        for result in _pages(first, started):
            items = result.page.items
            texts = spec.rows(items[: max_rows - rows], rows)
            texts, texts_size = _fitting(texts, MAX_BYTES - size, at_least=0 if rows else 1)
            yield "".join(texts)
            rows, size = rows + len(texts), size + texts_size
            if len(texts) < len(items):
                reason, last = "a file holds no more", items[len(texts) - 1] if texts else None
                break
            following = result.page.next
        if following and not reason:
            reason = "the budget of one file is spent"
    except StoreUnavailable as error:
        logger.error(UNAVAILABLE, error)
        reason = "the database does not answer"
    # Within a page the file continues after its last row, otherwise at the end of the page.
    onward = reader.after(first.plan, last) if last else following
    yield spec.form.foot(rows, reason, address(onward) if reason and onward else None)


def _pages(result: PageResult, started: float) -> Iterator[PageResult]:
    """Yield a page and its successors until the order, the budget or the time ends.

    From the second page on, the next one is read while the rows of a page become text. The second one is
    read when it is needed: a client that closes the connection has paid for one page.
    """
    cost, rows, is_first = Cost(), 0, True
    while True:
        cost += result.page.cost
        rows += len(result.page.items)
        if is_first:
            yield result
        following = _start_next(result, cost, rows, started)
        if not is_first:
            yield result
        if following is None:
            return
        with store_unavailable():
            result, is_first = following.result(MAX_PAGE_SECONDS), False


def _start_next(result: PageResult, cost: Cost, rows: int, started: float) -> "Future[PageResult] | None":
    """Start to read the next page, or return None at the end of the order, the budget or the time."""
    budget = conf.budget().remaining(cost, MAX_SECONDS - (time.monotonic() - started))
    position = result.page.next
    if position is None or not result.page.complete or budget is None:
        return None
    # One row more than a file holds shows that there are more.
    limit = max(1, min(result.query.limit, conf.export_rows() - rows + 1))
    query = replace(result.query.at(position), limit=limit)
    return _POOL.submit(copy_context().run, _read, query, position, budget)


def _read(query: PageQuery, position: Position, budget: Budget) -> PageResult:
    # Another thread takes milliseconds to get its turn, while the rows of a page become text.
    page = reader.read_page(query.plan, position, query.limit, budget, inline=True)
    return PageResult(query, page)


def _fitting(texts: list[str], size: int, at_least: int) -> tuple[list[str], int]:
    """Return the first texts that fit into a size of a response, and their size."""
    if (whole := encoded_size("".join(texts))) <= size:
        return texts, whole
    sizes = list(accumulate(map(encoded_size, texts)))
    number = max(bisect_right(sizes, size), at_least)
    return texts[:number], sizes[number - 1] if number else 0


def file_name(log_filter: LogFilter, kind: str) -> str:
    """Return a file name in ASCII that names the filter."""
    values = parameters(log_filter, DEFAULT_LIMIT)
    words = [
        f"{name}-{'-'.join([value] if isinstance(value, str) else value)}" for name, value in values.items()
    ]
    return f"{'-'.join(['logs', *map(slugify, words)])[:MAX_NAME].rstrip('-')}.{kind}"


def file_headers(name: str) -> dict[str, str]:
    """Return the headers of a response that is a file."""
    return {
        "Content-Disposition": content_disposition_header(True, name) or "",
        "Cache-Control": "no-store",
    }


def continuation(result: PageResult, position: Position, kind: str, zone: tzinfo) -> str:
    """Return the query string with which an export continues at a position."""
    position_text = cursor.encode(position, result.plan)
    return query_string(result.plan.filter, zone=zone, format=kind, cursor=position_text)


def whole_file(spec: Spec) -> str | None:
    """Return the text of an export if it fits into a response, otherwise None.

    Reads for MAX_WHOLE_SECONDS at most, and then until the end of a page. Raises StoreUnavailable, also if
    the request has used up its time.
    """
    chunk = next(chunks(spec, BEGINNING, MAX_BYTES, MAX_WHOLE_SECONDS))
    fits = chunk.checkpoint.complete and encoded_size(chunk.text) <= MAX_BYTES
    return chunk.text if fits else None
