"""The open rows of the listing: within its page, and as fragments."""

import logging
from collections.abc import Callable, Sequence
from http import HTTPStatus
from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from logs import reader, signals
from logs.fields import quoted
from logs.models import LogItem
from logs.pages.address import Address
from logs.pages.listing import Listing
from logs.pages.pane import Pane
from logs.permissions import reads_own_accounts
from logs.request_form import read_address
from logs.storage.errors import UNAVAILABLE, StoreUnavailable

# Each open row of a page costs a request. A script requests each when it is opened.
MAX_OPEN = 20
# A value of the parameter `open` that begins with this closes a row.
CLOSED = "-"

logger = logging.getLogger(__name__)


def fragment(request: HttpRequest, log_id: str, link: str) -> HttpResponse:
    """Return the content of an open row. The query string is the filter of the listing.

    `link` is the path of the page of the log. Costs one GetItem. Errors are a line of text.
    """
    _, address = read_address(request, request.GET)
    if address is None:
        return _text("The filter of this row is not valid.", HTTPStatus.BAD_REQUEST)
    try:
        item = reader.get(log_id, includes_own=reads_own_accounts(request.user))
    except StoreUnavailable as error:
        logger.error(UNAVAILABLE, error)
        return _text("The database does not answer.", HTTPStatus.SERVICE_UNAVAILABLE)
    if item is None:
        return _text("There is no log with this ID.", HTTPStatus.NOT_FOUND)
    return HttpResponse(_pane(request, item, address, link))


def panes(request: HttpRequest, page: Listing, link: Callable[[str], str]) -> dict[str, SafeString]:
    """Return the content of each open row of a page, by id.

    `link` returns the path of the page of a log. Costs one GetItem each. Raises BadRequest and
    StoreUnavailable.
    """
    contents: dict[str, SafeString] = {}
    ids = open_ids(request.GET.getlist("open"))
    rows = {item.id for item in page.page.items} if ids else set()
    for log_id in filter(rows.__contains__, ids):
        item, cost = reader.get_with_cost(log_id, includes_own=reads_own_accounts(request.user))
        page.other_cost += cost
        if item:
            contents[log_id] = _pane(request, item, page.address, link(log_id))
    return contents


def open_ids(values: Sequence[str]) -> list[str]:
    """Return the ids of the open rows, from the values of the parameter `open`. Raises BadRequest."""
    ids: dict[str, None] = {}
    for value in values:
        try:
            log_id = UUID(value.removeprefix(CLOSED)).hex
        except ValueError as error:
            raise BadRequest(f"open: “{quoted(value)}” is not the ID of a log: 32 hex digits.") from error
        if value.startswith(CLOSED):
            ids.pop(log_id, None)
        else:
            ids[log_id] = None
    if len(ids) > MAX_OPEN:
        raise BadRequest(f"open: at most {MAX_OPEN} rows can be open, not {len(ids)}.")
    return list(ids)


def _pane(request: HttpRequest, item: LogItem, address: Address, link: str) -> SafeString:
    signals.log_opened.send_robust(sender=Pane, request=request, log_id=item.id, via="row")
    pane = Pane(item, address, request.build_absolute_uri(link))
    return render_to_string("admin/logs/log/pane.html", {"pane": pane})


def _text(text: str, status: HTTPStatus) -> HttpResponse:
    return HttpResponse(text, content_type="text/plain; charset=utf-8", status=status)
