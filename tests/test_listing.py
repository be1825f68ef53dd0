"""The listing in the admin: rows, filters, order, pages and errors."""

import html
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from pynamodb.models import Model

from logs.models import LogItem
from logs.storage import documents
from logsite.accounts.store import SessionItem, UserItem
from tests.dynamodb_calls import recorded_calls
from tests.items import START, make_item, store
from tests.pages import LISTING, fetch, has_link, link, press, row_ids, rows, sentence

pytestmark = pytest.mark.usefixtures("logs_table")


def test_site_root_redirects_to_the_listing(viewer_client: Client) -> None:
    assert viewer_client.get("/").headers["Location"] == LISTING


def test_admin_index_redirects_to_the_listing(viewer_client: Client) -> None:
    assert viewer_client.get("/admin/").headers["Location"] == LISTING
    index = viewer_client.get("/admin/logs/").content.decode()
    assert f'href="{LISTING}"' in index
    assert "/admin/logs/log/add/" not in index


def test_row_shows_time_user_url_and_client(viewer_client: Client) -> None:
    moment = datetime(2026, 11, 17, 16, 38, 7, 405123, UTC)
    store(
        [
            make_item(
                created_at=moment,
                account_id="7",
                user_id="31",
                type="payment",
                sub_type="card",
                url="/billing/charges/28101",
                submitter_city="Berlin",
                submitter_country="Germany",
                submitter_platform="macOS",
                submitter_browser="Safari",
            )
        ]
    )
    page = fetch(viewer_client)
    assert "<time datetime=2026-11-17T16:38:07.405123Z>16:38:07<i>.405</i></time>" in page
    assert "Time (UTC)" in page
    [row] = rows(page)
    assert (
        row == "Details16:38:07.405 7 31 payment card /billing/charges/28101 Berlin, Germany macOS · Safari"
    )


def test_row_shows_no_one_and_a_dash_for_missing_values(viewer_client: Client) -> None:
    store([make_item(account_id="0", user_id="0")])
    page = fetch(viewer_client)
    assert page.count(">no one</a>") == 2
    assert "<td class=c>—</tbody>" in page


def test_time_heading_reverses_the_default_order(viewer_client: Client) -> None:
    store(make_item(number) for number in range(3))
    page = fetch(viewer_client)
    assert row_ids(page) == [make_item(n).id for n in (2, 1, 0)]
    turned = press(viewer_client, page, "Time (UTC)")
    assert row_ids(turned) == [make_item(n).id for n in (0, 1, 2)]
    assert row_ids(press(viewer_client, turned, "Time (UTC)")) == [make_item(n).id for n in (2, 1, 0)]


def test_only_the_time_column_is_sortable(viewer_client: Client) -> None:
    store([make_item()])
    head = fetch(viewer_client).split("<thead>")[1].split("</thead>")[0]
    assert set(re.findall(r"<button [^>]*>([^<]*)</button>", head)) == {"Time (UTC)"}
    assert head.count("sortable") == 1


def test_filters_survive_paging_and_the_detail_page(viewer_client: Client) -> None:
    store(make_item(n, account_id=("7", "8")[n % 2]) for n in range(200))
    page = fetch(viewer_client, "?account_id=7&limit=25")
    second = fetch(viewer_client, link(page, "Next ›"))
    assert row_ids(second) == [make_item(n).id for n in range(148, 98, -2)]
    detail = re.search(r'<a href="([^"]+/change/)"', second)
    assert detail
    back = {"_changelist_filters": link(page, "Next ›").removeprefix("?")}
    log = viewer_client.get(LISTING + detail[1], back).content.decode()
    assert row_ids(viewer_client.get(link(log, "Close")).content.decode()) == row_ids(second)


@pytest.mark.parametrize("name", ["a, b", "a,b", "App\\Models\\User", "x&y=z", "ä b", "50%", "+1"])
def test_value_links_filter_by_the_exact_value(viewer_client: Client, name: str) -> None:
    store([make_item(0, account_id=name, type=name), make_item(1, account_id="a", type="b")])
    page = fetch(viewer_client)
    for filtered in (
        link(page, html.escape(name)),
        link(fetch(viewer_client, "?order=oldest"), html.escape(name)),
    ):
        shown = fetch(viewer_client, filtered)
        assert row_ids(shown) == [make_item(0).id]
        assert row_ids(press(viewer_client, shown, "Time (UTC)")) == [make_item(0).id]


def test_pager_links_to_both_ends(viewer_client: Client) -> None:
    store(make_item(number) for number in range(60))
    first = fetch(viewer_client, "?limit=25")
    assert not has_link(first, "‹ Previous")
    assert not has_link(first, "« Newest")
    last = fetch(viewer_client, link(first, "Oldest »"))
    assert row_ids(last) == [make_item(n).id for n in range(24, -1, -1)]
    assert not has_link(last, "Next ›")
    assert not has_link(last, "Oldest »")
    assert row_ids(fetch(viewer_client, link(last, "‹ Previous"))) == [
        make_item(n).id for n in range(49, 24, -1)
    ]
    assert row_ids(fetch(viewer_client, link(last, "« Newest"))) == row_ids(first)


def test_pager_labels_follow_the_order(viewer_client: Client) -> None:
    store(make_item(number) for number in range(60))
    page = fetch(viewer_client, "?order=oldest&limit=25")
    assert sentence(page) == "All logs, oldest first"
    last = fetch(viewer_client, link(page, "Newest »"))
    assert row_ids(last) == [make_item(n).id for n in range(35, 60)]
    assert row_ids(fetch(viewer_client, link(last, "« Oldest"))) == row_ids(page)


def test_deleted_previous_page_shows_the_first_page(viewer_client: Client) -> None:
    store(make_item(number) for number in range(60))
    second = fetch(viewer_client, link(fetch(viewer_client, "?limit=25"), "Next ›"))
    for number in range(35, 60):
        make_item(number).delete()
    page = fetch(viewer_client, link(second, "‹ Previous"))
    assert row_ids(page) == row_ids(second)
    assert not has_link(page, "‹ Previous")


@pytest.mark.parametrize("size", [25, 50, 100, 200])
def test_page_has_the_chosen_number_of_rows(viewer_client: Client, size: int) -> None:
    store(make_item(number) for number in range(210))
    page = fetch(viewer_client, f"?limit={size}")
    assert len(row_ids(page)) == size
    assert f'<b aria-current="true">{size}</b>' in page
    assert len(row_ids(fetch(viewer_client))) == 50


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?account_id=7", "Logs of account 7"),
        ("?type=login", "Logs of type login"),
        ("?account_id=7&type=login", "Logs of type login of account 7"),
        ("?from=2026-11-17&to=2026-11-17", "All logs on 17 Nov 2026 (UTC)"),
        ("?from=20261117&to=2026-W47-2", "All logs on 17 Nov 2026 (UTC)"),
        ("?to=2026-11-17T16:30+02:00", "All logs before 17 Nov 2026 14:30 UTC"),
        ("?to=2026-11-17 16:30", "All logs before 17 Nov 2026 16:30 UTC"),
        ("?to=2026-11-17T16:30:00%2B02:00", "All logs before 17 Nov 2026 14:30 UTC"),
        ("?account_id=&type=&from=&to=&order=&limit=", "All logs"),
        (
            "?account_id=7,8&type=login&type=view",
            "Logs of type login or view of account 7 or 8",
        ),
        ("?account_id=7, 7 ,,", "Logs of account 7"),
        ("?user_id=12", "Logs of user 12"),
        (
            "?user_id=12&account_id=7&-type=login&-type=logout",
            "Logs of user 12, filtered by account 7 and types other than login or logout",
        ),
        (
            "?user_id=0,12&-user_id=13",
            "All logs, filtered by user 0 or 12 and users other than 13",
        ),
        ("?object=invoice:4711", "Logs of object invoice:4711"),
    ],
)
def test_sentence_describes_the_filter(viewer_client: Client, query: str, words: str) -> None:
    assert sentence(fetch(viewer_client, query)) == words


def test_time_range_includes_start_and_excludes_end(viewer_client: Client) -> None:
    store(make_item(number) for number in range(10))
    page = fetch(viewer_client, "?from=2026-11-01T00:00:03&to=2026-11-01T00:00:06")
    assert row_ids(page) == [make_item(n).id for n in (5, 4, 3)]


def test_form_shows_the_parsed_filter(viewer_client: Client) -> None:
    page = fetch(viewer_client, "?account_id=7&from=2026-11-17&to=2026-11-17")
    assert 'name="range" value="17 Nov 2026"' in page
    assert 'name="account_id" value="7"' in page


def test_value_links_keep_the_other_filters(viewer_client: Client) -> None:
    store([make_item(0, account_id="7", type="login"), make_item(1, account_id="8", type="logout")])
    page = fetch(viewer_client, "?from=2026-11-01")
    by_account = link(page, "8")
    assert parse_qs(urlsplit(by_account).query) == {"account_id": ["8"], "from": ["2026-11-01T00:00"]}
    by_both = link(fetch(viewer_client, by_account), "logout")
    assert sentence(fetch(viewer_client, by_both)) == (
        "Logs of type logout of account 8 from 1 Nov 2026 00:00 UTC on"
    )
    assert sentence(fetch(viewer_client, link(page, "Clear all"))) == "All logs"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?account_id=7%23login", "An account never contains a “#”."),
        ("?account_id=" + "7" * 501, "over 500 bytes"),
        ("?type=" + "ä" * 251, "over 500 bytes"),
        ("?type=" + "x" * 10_240, "over 500 bytes"),
        ("?type=%00", "Null characters are not allowed."),
        ("?url=7&url=8", "This is given more than once"),
        ("?user_id=%00", "Null characters are not allowed."),
        ("?object=invoice", "“invoice” is not an object. Write its type and id as in invoice:4711."),
        ("?object=invoice:", "“invoice:” is not an object."),
        ("?submitter_ip=203.0.113.7:80", "“203.0.113.7:80” is not an IP address."),
        ("?trace_id=7", "“7” is not a trace ID: 32 hex digits."),
        ("?type=login&-type=login", "Type login is both included and excluded."),
        ("?-sub_type=" + ",".join(map(str, range(101))), "at most 100 are possible"),
        ("?account_id=" + ",".join(map(str, range(51))), "51 combinations; at most 50 can be read at once"),
        ("?account_id=7,8%23x", "An account never contains a “#”."),
        ("?around=x", "This is not the id of a log"),
        ("?around=" + "0" * 32 + "&at=2026-11-17", "Give only one of at and around"),
        ("?payload_size_min=-1", "greater than or equal to 0"),
        ("?payload_size_min=much", "Enter a whole number."),
        ("?q=" + "x" * 501, "over 500 bytes"),
        ("?from=yesterday", "“yesterday” is not a time."),
        ("?from=0001-01-01T00:00%2B14:00", "is not a time."),
        ("?to=9999-12-31", "The year must be from 2 to 9998."),
        ("?to=0001-01-01T00:00", "The year must be from 2 to 9998."),
        ("?at=9999-12-31", "The year must be from 2 to 9998."),
        ("?from=2026-11-18&to=2026-11-17", "This must be after the beginning of the range"),
        ("?from=2026-11-17T10:00&to=2026-11-17T10:00", "This must be after the beginning of the range"),
        ("?order=url", "“url” is not an order: write newest or oldest."),
        ("?limit=0", "The number of rows must be from 1 to 200."),
        ("?limit=1000000000", "The number of rows must be from 1 to 200."),
        ("?limit=many", "The number of rows must be a whole number from 1 to 200."),
        ("?accuont_id=7", "There is no filter “accuont_id”."),
    ],
)
def test_invalid_value_is_an_error_without_rows(viewer_client: Client, query: str, words: str) -> None:
    store([make_item()])
    page = fetch(viewer_client, query, status=400)
    assert words in html.unescape(page)
    assert "result_list" not in page


def test_invalid_value_stays_in_its_field(viewer_client: Client) -> None:
    page = fetch(viewer_client, "?account_id=7&from=yesterday&limit=25", status=400)
    assert 'name="account_id" value="7"' in page
    assert 'name="range" value="yesterday -"' in page
    assert re.search(r'type="hidden" name="limit" value="25"', page)


@pytest.mark.parametrize("model", [SessionItem, UserItem, LogItem])
def test_missing_table_is_503_with_a_message(
    viewer_client: Client, monkeypatch: pytest.MonkeyPatch, model: type[Model]
) -> None:
    monkeypatch.setattr(model.Meta, "table_name", "NoSuchTable")
    response = viewer_client.get(LISTING)
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert "The database does not answer." in response.content.decode()


def test_previous_under_a_budget_skips_no_log(viewer_client: Client, settings: Any) -> None:
    settings.LOGS_MAX_EXAMINED = 60
    store(make_item(n, sub_type="password" if n in range(30, 900) else "rare") for n in range(930))
    page = fetch(viewer_client, "?sub_type=rare&limit=25")
    forth = [row_ids(page)]
    while has_link(page, "Next ›"):
        page = fetch(viewer_client, link(page, "Next ›"))
        forth.append(row_ids(page))
    back = []
    while has_link(page, "‹ Previous"):
        page = fetch(viewer_client, link(page, "‹ Previous"))
        back.append(row_ids(page))
    walked = [log_id for ids in forth for log_id in ids]
    assert len(walked) == 60
    assert [log_id for ids in reversed(back) for log_id in ids] + forth[-1] == walked


@pytest.mark.parametrize("query", ["?_changelist_filters=x", "?e=1", "?_popup=1"])
def test_admin_parameters_are_accepted(viewer_client: Client, query: str) -> None:
    fetch(viewer_client, query)


@pytest.mark.parametrize("cursor", ["x", "W10:x", "%00", "é", "{}x", "{:.40}"])
def test_damaged_cursor_shows_a_message_and_the_first_page(viewer_client: Client, cursor: str) -> None:
    store(make_item(number) for number in range(60))
    first = fetch(viewer_client, "?account_id=7&limit=25")
    good = parse_qs(urlsplit(link(first, "Next ›")).query)["cursor"][0]
    page = fetch(viewer_client, f"?account_id=7&limit=25&cursor={cursor.format(good)}")
    assert row_ids(page) == row_ids(first)
    assert "damaged" in page


def test_cursor_of_another_filter_shows_the_first_page(viewer_client: Client) -> None:
    store(make_item(n, account_id=("7", "8")[n % 2]) for n in range(120))
    cursor = parse_qs(urlsplit(link(fetch(viewer_client, "?account_id=7&limit=25"), "Next ›")).query)[
        "cursor"
    ][0]
    page = fetch(viewer_client, f"?account_id=8&limit=25&cursor={cursor}")
    assert "made for another filter" in page
    assert row_ids(page) == row_ids(fetch(viewer_client, "?account_id=8&limit=25"))


def test_empty_listing_shows_a_message(viewer_client: Client) -> None:
    assert "No logs yet." in fetch(viewer_client)
    assert "No logs match this filter." in fetch(viewer_client, "?account_id=nobody")


@pytest.mark.parametrize("number", [100, 2000])
def test_page_costs_one_query_at_any_table_size(viewer_client: Client, number: int) -> None:
    store(make_item(n) for n in range(number))
    next_page = link(fetch(viewer_client, "?account_id=7"), "Next ›")
    with recorded_calls() as calls:
        fetch(viewer_client, next_page)
    assert calls == [("BatchGetItem", None), ("Query", "LogsTable")], "session and user, then the rows"


def test_query_details_are_collapsed(viewer_client: Client) -> None:
    store([make_item()])
    page = fetch(viewer_client, "?account_id=7&type=login")
    folded = re.search(r'<details class="logs-cost">(.*?)</details>', page, re.DOTALL)
    assert folded
    assert "AccountTypeIndex" in folded[1]
    assert 'Requests: <span data-cost="queries">1</span>' in folded[1]


def test_page_shows_its_time_span(viewer_client: Client) -> None:
    store(make_item(number) for number in range(3))
    assert f"{START:%Y-%m-%d} 00:00:02 – 00:00:00 UTC" in fetch(viewer_client)


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("user_id=0", [5]),
        ("sub_type=card", [4]),
        ("sub_type=card,visa", [7, 4]),
        ("submitter_country=Japan", [3]),
        ("submitter_platform=iOS", [2]),
        ("submitter_browser=Edge", [1]),
        ("url=/billing", [6]),
        ("q=/billing", [6]),
        ("q=invoice 4711", [8, 7]),
        ("q=invoice 4711&submitter_city=Sofia", [8]),
        ("payload_size_min=100", [8]),
        ("account_id=7,8&q=nowhere", []),
    ],
)
def test_filter_without_an_index_finds_its_logs(
    viewer_client: Client, query: str, numbers: list[int]
) -> None:
    long = '{"text":"' + "x" * 2000 + ' invoice 4711"}'
    store(
        [
            *[make_item(n) for n in range(10, 30)],
            make_item(1, submitter_browser="Edge"),
            make_item(2, submitter_platform="iOS"),
            make_item(3, submitter_country="Japan"),
            make_item(4, sub_type="card"),
            make_item(5, user_id="0"),
            make_item(6, url="/billing/1"),
            make_item(7, sub_type="visa", payload="see invoice 4711", payload_type="text", payload_size=16),
            make_item(
                8,
                submitter_city="Sofia",
                document=documents.pack({"payload": long}),
                payload_type="json",
                payload_size=len(long),
            ),
        ]
    )
    page = fetch(viewer_client, "?" + query)
    assert row_ids(page) == [make_item(n).id for n in numbers]
    assert "of account" in page or "This reads every log." in page


def test_search_for_an_id_redirects_to_the_detail(viewer_client: Client) -> None:
    store([make_item(10)])
    response = viewer_client.get(LISTING + "?q=00000000-0000-4000-8000-00000000000A")
    assert response.headers["Location"] == f"{LISTING}{make_item(10).id}/change/"


def test_page_starts_at_a_time(viewer_client: Client) -> None:
    store(make_item(number) for number in range(20))
    page = fetch(viewer_client, "?at=2026-11-01T00:00:05")
    assert row_ids(page) == [make_item(n).id for n in range(5, -1, -1)]
    earlier = fetch(viewer_client, link(page, "‹ Previous"))
    assert row_ids(earlier) == [make_item(n).id for n in range(19, 5, -1)]
    oldest = fetch(viewer_client, "?at=2026-11-01T00:00:05&order=oldest")
    assert row_ids(oldest) == [make_item(n).id for n in range(5, 20)]


@pytest.mark.parametrize("axis", ["everything", "account", "type", "user"])
def test_detail_links_to_surrounding_logs(viewer_client: Client, axis: str) -> None:
    store(make_item(n, account_id=("7", "8")[n % 2], type=("view", "login")[n % 2]) for n in range(220))
    detail = viewer_client.get(f"{LISTING}{make_item(110).id}/change/?axis={axis}").content.decode()
    page = viewer_client.get(link(detail, "Full list")).content.decode()
    marked = re.findall(r'<tr id="log-([0-9a-f]{32})" class=selected aria-current=true>', page)
    assert marked == [make_item(110).id]
    rows = row_ids(page)
    assert make_item(110).id in rows
    assert len(rows) == 50
    before = viewer_client.get(LISTING + link(page, "‹ Previous")).content.decode()
    after = viewer_client.get(LISTING + link(page, "Next ›")).content.decode()
    assert not set(row_ids(before)) & set(rows)
    assert not set(row_ids(after)) & set(rows)


def test_link_around_a_deleted_log_shows_a_message(viewer_client: Client) -> None:
    store([make_item(1)])
    page = fetch(viewer_client, "?around=" + "0" * 32)
    assert "The log of this link no longer exists." in page
    assert row_ids(page) == [make_item(1).id]


def test_page_over_budget_shows_progress_and_continues(viewer_client: Client, settings: Any) -> None:
    settings.LOGS_MAX_EXAMINED = 100
    store(make_item(n, sub_type="rare" if n == 3 else "password") for n in range(1000))
    page = fetch(viewer_client, "?sub_type=rare")
    assert "Searched 100 logs, back to 1 Nov 2026 00:15 UTC." in page
    assert "No logs match so far." in page
    seen: list[str] = []
    for _ in range(20):
        seen += row_ids(page)
        if not has_link(page, "Keep searching"):
            break
        page = fetch(viewer_client, link(page, "Keep searching"))
    assert seen == [make_item(3).id]
