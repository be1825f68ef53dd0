"""Digests that are replaced while a page is read: the page has each log once."""

from typing import Any

import pytest

from logs import reader
from logs.digests import builder
from logs.filters import LogFilter, Order
from logs.plan import PageQuery, make_plan
from logs.reading import digest_search
from logs.reading.budget import Budget
from logs.reading.page import PageRead
from logs.storage.digest_items import DigestItem
from tests.digests import built_logs, small_segments

FILTERS = [
    LogFilter(q="path"),
    LogFilter(q="path", order=Order.OLDEST),
    LogFilter(q="path", not_type=("login",)),
    LogFilter(submitter_ip=("10.0.0.1",), order=Order.OLDEST),
]


@pytest.mark.parametrize("log_filter", FILTERS)
@pytest.mark.parametrize("number", [1, 5])
def test_page_over_replaced_digests_is_exact(
    log_filter: LogFilter, number: int, digests_table: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    get_all, calls = PageRead.get_all, 0

    def replaced(self: PageRead, model: Any, *args: Any, **options: Any) -> Any:
        nonlocal calls
        if model is DigestItem:
            calls += 1
            if calls == number:
                builder.build(rebuild=True)
        return get_all(self, model, *args, **options)

    monkeypatch.setattr(digest_search, "MAX_CANDIDATES", 12)
    # One chunk, so that one window has many groups of blocks.
    with small_segments(90, chunk_blocks=40):
        items = built_logs(90, submitter_ip="10.0.0.1")
        for item in items[::4]:
            item.type = "logout"
            item.save()
        builder.build(rebuild=True)
        monkeypatch.setattr(PageRead, "get_all", replaced)
        page = reader.read(PageQuery(make_plan(log_filter), None, 10), Budget()).page
    ordered = items if log_filter.order is Order.OLDEST else items[::-1]
    expected = [
        item.id
        for item in ordered
        if (log_filter.q or "path") in item.url and item.type not in log_filter.not_type
    ]
    assert [item.id for item in page.items] == expected[:10]
