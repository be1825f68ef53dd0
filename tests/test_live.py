"""Live: the switch of the listing, and the rows that its script asks for."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from tests.audit import Trail
from tests.dynamodb_calls import recorded_calls
from tests.items import make_item, store
from tests.pages import LISTING, SCRIPT, fetch, link, row_ids

pytest_plugins = ["tests.sqs_server", "tests.audit_fixtures"]
pytestmark = pytest.mark.usefixtures("logs_table")

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def current_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin each test now. The tests were collected minutes ago."""
    monkeypatch.setitem(globals(), "NOW", datetime.now(UTC))


def log_id(number: int) -> str:
    return make_item(number).id


def add(*numbers: int, **changes: object) -> None:
    """Store logs, each a second newer than the one before. The log 240 is from a minute ago."""
    store(make_item(n, created_at=NOW + timedelta(seconds=n - 300), **changes) for n in numbers)


def attribute(page: str, name: str) -> str | None:
    """Return the value of an attribute of the page, or None."""
    match = re.search(rf'{name}="([^"]*)"', page)
    return html.unescape(match[1]) if match else None


def poll(client: Client, address: str | None) -> str:
    """Return the fragment of an address."""
    assert address
    response = client.get(LISTING + address, headers=SCRIPT)
    assert response.status_code == 200
    return response.content.decode()


def test_live_reads_what_is_new_by_one_query(viewer_client: Client) -> None:
    add(*range(240, 250))
    page = fetch(viewer_client, "?range=-2h&account_id=7")
    address = attribute(page, "data-poll")
    add(250, 251)
    add(252, account_id="8")
    with recorded_calls() as calls:
        fragment = poll(viewer_client, address)
    assert [operation for operation, _ in calls] == ["BatchGetItem", "Query"]
    assert row_ids(fragment)[:3] == [log_id(251), log_id(250), log_id(249)]
    assert "data-more" not in fragment
    assert fragment.count("<tr data-day=") >= 1
    # Links of the new rows keep the relative range.
    assert 'href="?account_id=7&amp;type=login&amp;range=-2h"' in fragment
    add(253)
    following = attribute(fragment, "data-next") or address
    assert row_ids(poll(viewer_client, following))[0] == log_id(253)


def test_live_continues_at_once_after_many_logs(viewer_client: Client) -> None:
    address = attribute(fetch(viewer_client), "data-poll")
    add(*range(60, 290))
    fragment = poll(viewer_client, address)
    more = poll(viewer_client, attribute(fragment, "data-more"))
    assert sorted(row_ids(fragment) + row_ids(more)) == sorted(map(log_id, range(60, 290)))
    assert attribute(more, "data-more") is None


def test_other_pages_lead_to_the_first_page(viewer_client: Client) -> None:
    add(*range(30))
    page = fetch(viewer_client, "?limit=25&type=login")
    assert attribute(page, "data-poll")
    pages = {
        link(page, "Next ›"): "?type=login&limit=25#live",
        "?order=oldest&type=login": "?type=login#live",
        "?range=yesterday&tz=Europe/Berlin&type=login": "?type=login&tz=Europe%2FBerlin#live",
        "?range=-2h&order=oldest": "?range=-2h#live",
        f"?around={log_id(3)}": "?#live",
    }
    for address, href in pages.items():
        page = fetch(viewer_client, address)
        assert attribute(page, "data-poll") is None
        assert link(page, "Live") == href


@pytest.mark.parametrize("query", ["?range=today", "?type=login&-sub_type=x", "?q=login", "?tz=Asia/Tokyo"])
def test_live_follows_each_kind_of_filter(viewer_client: Client, query: str) -> None:
    address = attribute(fetch(viewer_client, query), "data-poll")
    add(298)
    assert row_ids(poll(viewer_client, address)) == [log_id(298)]


def test_wrong_requests_have_clear_errors(viewer_client: Client) -> None:
    address = attribute(fetch(viewer_client, "?account_id=7"), "data-poll")
    assert address
    response = viewer_client.get(LISTING + address)
    assert response.status_code == 302
    assert response["Location"] == f"{LISTING}?account_id=7"
    for wrong, text in {
        address.replace("=7", "=8"): "cursor: this link to a page was made for another filter",
        "live/?account_id=7": "cursor: this link to a page is damaged",
        "live/?limit=0": "The filter is not valid.",
    }.items():
        response = viewer_client.get(LISTING + wrong, headers=SCRIPT)
        assert response.status_code == 400
        assert text in response.content.decode()


def test_start_of_live_is_in_the_audit_trail(viewer_client: Client, audit: Trail) -> None:
    address = attribute(fetch(viewer_client, "?account_id=7"), "data-poll")
    for suffix in ("&start=1", "", ""):
        poll(viewer_client, f"{address}{suffix}")
    assert [item.sub_type for item in audit.logs("search")] == ["page", "live"]
