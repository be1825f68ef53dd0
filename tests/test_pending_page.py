"""The top of the listing is rendered while its rows are read."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.test import Client
from django.test.signals import template_rendered
from pytest_django import Settings

from logs import reader
from logs.filters import LogFilter, Order
from logs.models import LogItem
from logs.plan import Around, Direction, PageQuery, Position, make_plan
from logs.reader import PageResult
from logs.reading import pending_page
from logs.reading.budget import Budget
from logs.reading.pending_page import PendingPage
from logs.storage.errors import StoreUnavailable
from tests.items import make_item, store
from tests.pages import fetch, row_ids
from tests.proxy import proxied

pytestmark = pytest.mark.usefixtures("logs_table")

LOGS = 30
LIMIT = 10
SEARCH_BAR = "admin/logs/log/search_bar.html"


@pytest.fixture
def items() -> list[LogItem]:
    items = [make_item(number) for number in range(LOGS)]
    store(items)
    return items


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """Return an event that ends with the test, so that no request waits longer."""
    event = threading.Event()
    yield event
    event.set()


def query(start: Position | Around | None = None, **filters: Any) -> PageQuery:
    return PageQuery(make_plan(LogFilter(**filters)), start, LIMIT)


def ids(result: PageResult | PendingPage) -> list[str]:
    return [item.id for item in result.page.items]


def held_by(event: threading.Event) -> Callable[[str], None]:
    """Return a hook of the proxy that holds each Query until the event."""

    def hold(operation: str) -> None:
        if operation == "Query":
            assert event.wait(20)

    return hold


def test_search_bar_is_rendered_while_the_rows_are_read(viewer_client: Client, items: list[LogItem]) -> None:
    rendered = threading.Event()

    def note(template: Any, **_: Any) -> None:
        if template.name == SEARCH_BAR:
            rendered.set()

    template_rendered.connect(note)
    try:
        with proxied(held_by(rendered)):
            page = fetch(viewer_client)
    finally:
        template_rendered.disconnect(note)
    assert len(row_ids(page)) == LOGS


def test_page_is_started_before_its_response(items: list[LogItem], released: threading.Event) -> None:
    with proxied(held_by(released)):
        pending = reader.start(query(), Budget())
        assert isinstance(pending, PendingPage)
        released.set()
        assert ids(pending) == ids(reader.read(query(), Budget()))


@pytest.mark.parametrize("order", list(Order))
def test_pages_are_those_of_read(items: list[LogItem], order: Order) -> None:
    start: Position | None = None
    seen = []
    while True:
        page_query = query(start, order=order)
        pending, result = reader.start(page_query, Budget()), reader.read(page_query, Budget())
        assert isinstance(pending, PendingPage)
        assert pending.query == result.query
        assert (pending.page.next, pending.page.previous) == (result.page.next, result.page.previous)
        assert pending.page.cost.queries == result.page.cost.queries == 1
        seen += ids(pending)
        start = pending.page.next
        if start is None:
            break
    assert sorted(seen) == sorted(item.id for item in items)


@pytest.mark.parametrize(
    "page_query",
    [
        query(Around(make_item(5).id)),
        query(Position(Direction.PREVIOUS, None)),
        query(sub_type=("password",)),
        query(q="a text"),
    ],
    ids=["around a log", "backwards", "post-filter", "text"],
)
def test_page_that_may_change_its_query_is_read_at_once(items: list[LogItem], page_query: PageQuery) -> None:
    assert not isinstance(reader.start(page_query, Budget()), PendingPage)


def test_page_that_hangs_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, items: list[LogItem], released: threading.Event
) -> None:
    with proxied(held_by(released)):
        pending = reader.start(query(), Budget())
        monkeypatch.setattr(pending_page, "MAX_SECONDS", 0.2)
        with pytest.raises(StoreUnavailable):
            _ = pending.page
        released.set()


def test_page_is_read_though_all_threads_are_busy(items: list[LogItem], released: threading.Event) -> None:
    busy = [pending_page._POOL.submit(released.wait, 20) for _ in range(pending_page.THREADS)]
    pending = reader.start(query(), Budget())
    assert not any(future.done() for future in busy)
    released.set()
    assert len(ids(pending)) == LIMIT


def test_failed_read_is_a_503_although_the_top_was_rendered(viewer_client: Client) -> None:
    with proxied(lambda operation: "AccessDeniedException" if operation == "Query" else None):
        page = fetch(viewer_client, status=503)
    assert "The database does not answer." in page
    assert 'id="logs-filter"' not in page


class TitleMiddleware:
    """A project's middleware that changes pages before they are rendered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_template_response(self, request: HttpRequest, response: TemplateResponse) -> TemplateResponse:
        response.context_data = {**(response.context_data or {}), "title": "Changed"}
        return response


def test_middleware_may_change_the_page_before_it_is_rendered(
    viewer_client: Client, items: list[LogItem], settings: Settings
) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.TitleMiddleware"]
    page = fetch(viewer_client)
    assert "<title>Changed | Logsite</title>" in page
    assert len(row_ids(page)) == LOGS
