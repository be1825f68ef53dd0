"""The numbers above the rows: their place, the histogram and the facets."""

import html
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from logs.digests import builder
from logs.models import LogItem
from tests.audit import Trail
from tests.dynamodb_calls import recorded_calls
from tests.items import make_item, store
from tests.pages import LISTING, SCRIPT, fetch, link, press, row_ids

pytest_plugins = ["tests.sqs_server", "tests.audit_fixtures"]
pytestmark = pytest.mark.usefixtures("digests_table")

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
YESTERDAY = TODAY - timedelta(days=1)
RANGE = f"from={YESTERDAY:%Y-%m-%d}&to={YESTERDAY:%Y-%m-%d}"


def various_logs(number: int = 600) -> list[LogItem]:
    """Store logs of yesterday, and build their digests. Return them."""
    items = [
        make_item(
            n,
            created_at=YESTERDAY + timedelta(minutes=2 * n),
            account_id=str(7 + n % 3),
            type=f"type{n % 8}",
            user_id=str(n % 20),
            user_name=f"User {n % 20}" if n % 20 else None,
            sub_type=f"s{n % 4}",
            submitter_country=["Japan", "Germany", None][n % 3],
        )
        for n in range(number)
    ]
    store(items)
    builder.build()
    return items


def fragment(client: Client, query: str = "") -> str:
    """Return the fragment of a filter."""
    response = client.get(f"{LISTING}numbers/?{query}", headers=SCRIPT)
    assert response.status_code == 200
    return response.content.decode()


def table(page: str) -> dict[str, list[str]]:
    """Return the rows of the table of a histogram, by their times."""
    rows = re.findall(r'<tr><th scope="row"><a [^>]*>([^<]*)</a></th>(.*?)</tr>', page)
    return {time: re.findall("<td>(.*?)</td>", cells) for time, cells in rows}


def facet(page: str, title: str) -> list[tuple[str, str]]:
    """Return the values of a facet, and their numbers."""
    section = page.split(f'<section aria-label="{title}">')[1].split("</section>")[0]
    items = re.findall(r"<li>(.*?)</li>", section)
    texts = [" ".join(html.unescape(re.sub("<[^>]+>", " ", item)).split()) for item in items]
    return [(text.removesuffix(" not").rpartition(" ")[0], text.split()[-2]) for text in texts]


def test_listing_has_a_place_for_the_numbers(viewer_client: Client) -> None:
    page = fetch(viewer_client, "?range=-2h&type=login")
    place = re.search(r'<section id="logs-numbers".*?</section>', page)
    assert place
    assert len(place[0]) <= 2_048
    [address] = set(re.findall(r'data-numbers="([^"]*)"', place[0]))
    # A relative range stays relative.
    assert html.unescape(address) == "numbers/?type=login&range=-2h"
    assert link(page, "Numbers of these logs") == html.unescape(address)


def test_histogram_equals_the_logs(viewer_client: Client) -> None:
    items = various_logs()
    page = fragment(viewer_client, RANGE)
    assert "<strong>600 logs</strong>" in page
    rows = table(page)
    hours = Counter(item.created_at.hour for item in items)
    day = f"{YESTERDAY.day} {YESTERDAY:%b} {YESTERDAY.year}"
    assert rows.keys() == {f"{day} {hour:02}:00 - {hour + 1:02}:00" for hour in hours}
    for hour, number in hours.items():
        total, *by_type = rows[f"{day} {hour:02}:00 - {hour + 1:02}:00"]
        assert int(total) == number == sum(map(int, by_type))
    # Five types and the others.
    assert len(re.findall('<i class="logs-color', page)) == 6
    # The bars and the rows of the table are links.
    assert page.count('<a href="/admin/logs/log/?from=') == 24 + len(rows)
    assert "at least" not in page.lower()
    # A bar leads to its logs.
    zoomed = fetch(viewer_client, link(page, f"{day} 03:00 - 04:00").removeprefix(LISTING))
    assert len(row_ids(zoomed)) == hours[3]


def test_facets_equal_the_logs(viewer_client: Client) -> None:
    items = various_logs()
    page = fragment(viewer_client, RANGE)
    for title, attribute in (("Types", "type"), ("Subtypes", "sub_type"), ("Accounts", "account_id")):
        expected = Counter(getattr(item, attribute) for item in items)
        for value, number in facet(page, title):
            assert expected[value] == int(number)
    assert ("7 User 7", "30") in facet(page, "Users") or len(facet(page, "Users")) == 5
    assert dict(facet(page, "Countries")) == {"Japan": "200", "Germany": "200", "—": "200"}
    only = fetch(viewer_client, f"{link(page, 'Japan').removeprefix(LISTING)}&limit=200")
    assert len(row_ids(only)) == 200
    rest = re.search(r'href="([^"]*)" title="All others" aria-label="not Japan"', page)
    assert rest
    assert "-submitter_country=Japan" in rest[1]
    # A value that is included is taken out of the filter.
    page = fragment(viewer_client, f"{RANGE}&type=type1&type=type2")
    rest = re.search(r'href="([^"]*)" title="All others" aria-label="not type1"', page)
    assert rest
    assert "type=type2" in rest[1]
    assert "type1" not in rest[1]


def test_numbers_cost_at_most_four_requests(viewer_client: Client) -> None:
    """The session is read as well. A larger table is counted by digests."""
    various_logs(700)
    store(make_item(5_000 + n, created_at=datetime.now(UTC) - timedelta(seconds=n)) for n in range(20))
    for query in ("", RANGE, "account_id=7", "type=type1", "submitter_country=Japan"):
        with recorded_calls() as requests_sent:
            fragment(viewer_client, query)
        session, *others = [operation for operation, _ in requests_sent]
        assert session == "BatchGetItem"
        assert len(others) <= 4


def test_lower_bounds_are_marked(viewer_client: Client, settings: Any) -> None:
    settings.LOGS_MAX_EXAMINED = 50
    store(make_item(n, created_at=YESTERDAY + timedelta(minutes=n)) for n in range(300))
    page = fragment(viewer_client, RANGE)
    assert "<strong>At least 50 logs</strong>" in page
    assert "hatched: at least" in page
    times = [cells[0] for cells in table(page).values()]
    # The newest bar is read whole or in part, and the older ones are not.
    assert set(times) == {"unknown", "at least 50"}
    assert page.count("url(#logs-hatching)") == len(times) == 5
    assert "of 50 logs read" in page
    assert '<span class="visually-hidden">at least </span>' in page


@pytest.mark.parametrize("query", ["q=path", "payload.status=paid"])
def test_text_search_has_no_numbers(viewer_client: Client, query: str) -> None:
    for page in (fetch(viewer_client, f"?{query}"), fragment(viewer_client, query)):
        assert "A search in texts or payloads is not counted." in page
        assert "data-numbers" not in page
        assert "<svg class" not in page


def test_numbers_can_be_hidden(viewer_client: Client) -> None:
    page = press(viewer_client, fetch(viewer_client, "?type=login"), "Hide numbers")
    assert "data-numbers" not in page
    assert "data-numbers" not in fetch(viewer_client)
    page = press(viewer_client, page, "Show numbers")
    assert "data-numbers" in page
    assert viewer_client.get(f"{LISTING}?set_numbers=some").status_code == 400


def test_page_has_the_same_numbers(viewer_client: Client) -> None:
    various_logs(60)
    page = fetch(viewer_client, f"numbers/?{RANGE}&tz=Europe/Berlin")
    assert "<strong>60 logs</strong>" in page
    assert "Hide numbers" not in page
    assert "tz=Europe%2FBerlin" in link(page, "Show the logs")
    assert "<strong>0 logs</strong>" in fetch(viewer_client, "numbers/?type=nothing")


def test_zone_of_quarter_hours_has_days_of_utc(viewer_client: Client) -> None:
    various_logs()
    assert "from midnight UTC" in fragment(viewer_client, "range=-30d&tz=Asia/Kathmandu")
    assert "from midnight UTC" in fragment(viewer_client, "range=-30d&tz=Europe/Berlin&account_id=7")
    assert "from midnight UTC" not in fragment(viewer_client, "range=-30d&tz=Europe/Berlin")


def test_invalid_filter_leads_to_the_listing(viewer_client: Client) -> None:
    for place in ("numbers/?", "groups/?field=type&"):
        response = viewer_client.get(f"{LISTING}{place}from=nonsense")
        assert response.headers["Location"] == f"{LISTING}?from=nonsense"
    assert viewer_client.get(f"{LISTING}?from=nonsense").status_code == 400


HOSTILE = ["<b>&\"'", "é" * 450, "‮abc‬", "\U0001f468‍\U0001f469‍\U0001f467", "=1+1", "\u200b", "a,b"]


def test_hostile_values_are_text(viewer_client: Client) -> None:
    names = ("type", "sub_type", "user_id", "account_id", "user_name", "submitter_country", "url")
    store(
        make_item(n, created_at=YESTERDAY + timedelta(minutes=n), **dict.fromkeys(names, value[:240]))
        for n, value in enumerate(HOSTILE)
    )
    texts = [fragment(viewer_client, RANGE)]
    texts += [fetch(viewer_client, f"groups/?field={name}&{RANGE}") for name in (*names[:4], "url")]
    for page in texts:
        assert '<b>&"' not in page
        assert "&lt;b&gt;" in page
        assert "‮" not in page
    assert all("\\u202e" in page for page in texts[1:])


def test_numbers_are_in_the_audit_trail(audit: Trail, viewer_client: Client) -> None:
    fragment(viewer_client, "type=login")
    fetch(viewer_client, "groups/?field=user_id&type=login")
    viewer_client.get(f"{LISTING}groups/?field=user_id&type=login&format=csv")
    assert [(item.type, item.sub_type) for item in audit.logs("search", "export")] == [
        ("search", "numbers"),
        ("search", "numbers"),
        ("export", "csv"),
    ]
