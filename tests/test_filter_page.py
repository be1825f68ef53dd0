"""The filter of the page: ranges, time zones, buttons, chips, and the errors of what was typed."""

import html
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from tests.items import make_item, store
from tests.pages import LISTING, fetch, link, press, row_ids, sentence, submission

pytestmark = pytest.mark.usefixtures("logs_table")

ATTACK = "\"'><script>alert(1)</script>\u202e"


def parameters(address: str) -> dict[str, list[str]]:
    """Return the parameters of an address."""
    return parse_qs(urlsplit(address).query)


def pressed(client: Client, query: str) -> dict[str, list[str]]:
    """Return the parameters of the address to which a button leads."""
    response = client.get(LISTING + query)
    assert response.status_code == 302
    return parameters(response.headers["Location"])


def chips(page: str) -> list[str]:
    """Return the texts of the chips above the list."""
    match = re.search(r'<ul class="logs-chips".*?</ul>', page, re.DOTALL)
    texts = re.findall(r"<li[^>]*>(.*?)</li>", match[0], re.DOTALL) if match else []
    return [html.unescape(re.sub(r"<[^>]+>", "", text)).strip() for text in texts]


def test_range_selects_logs_of_its_time(viewer_client: Client) -> None:
    store(make_item(number) for number in range(10))
    page = fetch(viewer_client, "?range=2026-11-01 00:00:03-00:00:06")
    assert row_ids(page) == [make_item(n).id for n in (5, 4, 3)]
    assert sentence(page) == "All logs on 1 Nov 2026 00:00:03–00:00:06 UTC"
    assert 'name="range" value="1 Nov 2026 00:00:03 - 00:00:06"' in page


def test_absolute_range_becomes_from_and_to(viewer_client: Client) -> None:
    store([make_item()])
    page = fetch(viewer_client, "?range=2026-11-01&tz=Europe/Berlin")
    assert parameters(link(page, "7")) == {
        "account_id": ["7"],
        "from": ["2026-10-31T23:00"],
        "to": ["2026-11-01T23:00"],
        "tz": ["Europe/Berlin"],
    }


def test_relative_range_stays_relative_on_first_page(viewer_client: Client) -> None:
    now = datetime.now(UTC)
    store(make_item(n, created_at=now - timedelta(minutes=1, seconds=n)) for n in range(60))
    page = fetch(viewer_client, "?range=-2h&limit=25")
    assert sentence(page) == "All logs in the last 2 hours"
    assert 'name="range" value="-2h"' in page
    assert parameters(link(page, "7")) == {"account_id": ["7"], "limit": ["25"], "range": ["-2h"]}
    following = parameters(link(page, "Next ›"))
    assert following.keys() == {"from", "to", "limit", "cursor"}
    start, end = (datetime.fromisoformat(following[name][0]).replace(tzinfo=UTC) for name in ("from", "to"))
    assert start <= now - timedelta(hours=2) <= now < end
    second = fetch(viewer_client, link(page, "Next ›"))
    assert row_ids(second) == [make_item(n).id for n in range(25, 50)]
    assert "cursor" not in parameters(link(second, "« Newest"))
    copied = re.search(r'data-copy="([^"]*)"', page)
    assert copied
    assert parameters(html.unescape(copied[1])).keys() == {"from", "to", "limit"}
    assert copied[1].startswith(f"http://testserver{LISTING}?")
    files = parameters(link(page, "CSV"))
    assert files.keys() == {"from", "to", "format"}


def test_zone_applies_to_times_and_links(viewer_client: Client) -> None:
    store(make_item(n, created_at=datetime(2026, 11, 17, 23, 38, 7, n, UTC)) for n in range(60))
    page = fetch(viewer_client, "?tz=europe/berlin&from=2026-11-17T23:00")
    assert ">00:38:07<i>" in page
    assert "Wednesday, 18 November 2026" in page
    assert f'href="{row_ids(page)[0]}/change/?tz=Europe%2FBerlin"' in page
    assert "2026-11-18 00:38:07 – 00:38:07 Berlin time" in page
    assert sentence(page) == "All logs from 18 Nov 2026 00:00 Berlin time on"
    for text in ("7", "Next ›", "Oldest »", "CSV", "Clear all"):
        assert parameters(link(page, text))["tz"] == ["Europe/Berlin"], text
    assert parameters(submission(page))["tz"] == ["Europe/Berlin"]
    assert "Berlin time" in fetch(viewer_client, link(page, "Next ›"))
    utc = fetch(viewer_client, "?tz=UTC")
    assert "tz=" not in html.unescape(utc).replace("set_tz=", "")


def test_zone_of_an_id_search_is_kept(viewer_client: Client) -> None:
    store([make_item(1)])
    response = viewer_client.get(f"{LISTING}?q={make_item(1).id}&tz=Europe/Berlin")
    assert response.headers["Location"] == f"{LISTING}{make_item(1).id}/change/?tz=Europe%2FBerlin"


@pytest.mark.parametrize(
    ("range_", "expected"),
    [
        ("2026-11-24 09:00-10:00", {"from": ["2026-11-24T09:00"], "to": ["2026-11-24T10:00"]}),
        ("2026-11-24", {"from": ["2026-11-24T00:00"], "to": ["2026-11-25T00:00"]}),
        ("from 2026-11-24", {"from": ["2026-11-24T00:00"]}),
        ("-2h", {"range": ["-2h"]}),
        ("yesterday", {"range": ["yesterday"]}),
        ("x", {"range": ["x"]}),
        ("", {}),
    ],
)
def test_zone_button_keeps_the_logs(viewer_client: Client, range_: str, expected: object) -> None:
    query = f"?range={range_}&set_tz=Europe/Berlin&set_zone="
    assert pressed(viewer_client, query) == {"tz": ["Europe/Berlin"], **expected}  # type: ignore[dict-item]


def test_zone_field_sets_the_zone(viewer_client: Client) -> None:
    page = fetch(viewer_client, "?range=2026-11-24 09:00-10:00")
    query = submission(page, set_zone="berlin")
    shown = fetch(viewer_client, "?" + urlsplit(viewer_client.get(LISTING + query).headers["Location"]).query)
    assert sentence(shown) == "All logs on 24 Nov 2026 10:00–11:00 Berlin time"
    assert '<button type="submit" name="set_tz" value="Europe/Berlin" aria-pressed="true">Berlin (+' in shown
    assert sentence(press(viewer_client, shown, "UTC")) == "All logs on 24 Nov 2026 09:00–10:00 UTC"


def test_heading_names_whole_days_and_truncates_values(viewer_client: Client) -> None:
    page = fetch(viewer_client, f"?range=1 Nov 2026 - 30 Nov 2026&type={'x' * 500}")
    assert sentence(page) == f"Logs of type {'x' * 59}… from 1 Nov 2026 to 30 Nov 2026 (UTC)"


@pytest.mark.parametrize(
    "preset",
    ["15 min", "1 h", "24 h", "7 days", "30 days", "Today", "Yesterday", "This week", "Last month"],
)
def test_preset_keeps_what_was_typed(viewer_client: Client, preset: str) -> None:
    page = fetch(viewer_client, "?account_id=7&from=2026-11-01&order=oldest")
    typed = {"type": "login, view", "user_id": "12", "q": "paid", "case": "1"}
    shown = press(viewer_client, page, preset, **typed)
    assert re.search(rf'aria-pressed="true">{preset}<', shown)
    for name, value in {"account_id": "7", **typed, "order": "oldest"}.items():
        assert f'name="{name}" value="{value}"' in shown


def test_button_keeps_invalid_values_with_their_errors(viewer_client: Client) -> None:
    page = fetch(viewer_client)
    typed = {"account_id": f"7#{ATTACK}", "range": "soon", "-type": "login"}
    response = viewer_client.get(LISTING + submission(page, "Time (UTC)", **typed), follow=True)
    assert response.status_code == 400
    shown = response.content.decode()
    for name, value in typed.items():
        assert f'name="{name}" value="{html.escape(value)}"' in shown
    assert 'type="hidden" name="order" value="oldest"' in shown


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "?set_range=-1h&range=yesterday&from=2026-11-01&account_id=7",
            {"range": ["-1h"], "account_id": ["7"]},
        ),
        ("?set_order=oldest&cursor=x&type=a&type=&q= ", {"order": ["oldest"], "type": ["a"]}),
        ("?set_order=newest&order=oldest", {}),
        ("?set_order=oldest@2026-11-01T00:00:05", {"order": ["oldest"], "at": ["2026-11-01T00:00:05"]}),
        ("?set_limit=100&limit=25", {}),
        ("?set_limit=100@2026-11-01T00:00:05&around=x", {"at": ["2026-11-01T00:00:05"]}),
        ("?set_limit=many", {"limit": ["many"]}),
        ("?set_tz=UTC&tz=Europe/Berlin", {"tz": ["UTC"]}),
        ("?set_tz=Atlantis", {"tz": ["Atlantis"]}),
        ("?set_tz=Asia/Tokyo@2026-11-01T00:00:05", {"tz": ["Asia/Tokyo"], "at": ["2026-11-01T00:00:05"]}),
        ("?set_zone=a@b", {"tz": ["a@b"]}),
    ],
)
def test_button_leads_to_the_filter_as_typed(viewer_client: Client, query: str, expected: object) -> None:
    assert pressed(viewer_client, query) == expected


def test_order_and_page_size_keep_the_place(viewer_client: Client) -> None:
    store(make_item(number) for number in range(120))
    first = fetch(viewer_client)
    assert row_ids(press(viewer_client, first, "Time (UTC)"))[0] == make_item(0).id
    second = fetch(viewer_client, link(first, "Next ›"))
    turned = press(viewer_client, second, "Time (UTC)")
    assert row_ids(turned) == [make_item(n).id for n in range(69, 119)]
    resized = press(viewer_client, second, "25")
    assert row_ids(resized) == [make_item(n).id for n in range(69, 44, -1)]
    assert len(row_ids(fetch(viewer_client))) == 25, "the cookie keeps the page size"
    assert "limit" not in parameters(link(resized, "Next ›"))
    assert len(row_ids(fetch(viewer_client, "?limit=50"))) == 50
    assert "limit=50" in link(fetch(viewer_client, "?limit=50"), "Next ›")


def test_cookie_of_the_page_size_is_guarded(viewer_client: Client) -> None:
    response = viewer_client.get(f"{LISTING}?set_limit=100")
    cookie = response.cookies["logs_view"]
    assert cookie.value == "limit=100"
    assert (cookie["path"], cookie["samesite"], cookie["httponly"]) == (LISTING, "Lax", True)
    store(make_item(number) for number in range(60))
    for value in ("limit=1000", "limit=x", "limit=-1", "x", "limit=25&limit=", "limit=%E2%80%AE", "a" * 4000):
        viewer_client.cookies["logs_view"] = value
        viewer_client.cookies["logs_view"]["path"] = LISTING
        assert len(row_ids(fetch(viewer_client))) in (25, 50)


def test_chip_removes_its_value(viewer_client: Client) -> None:
    query = (
        "?account_id=7&account_id=Acme\\, Inc.&-type=view&submitter_ip=203.0.113.7&q=paid&case=1&range=today"
        "&payload.status=open&payload.status=paid&order=oldest"
    )
    page = fetch(viewer_client, query)
    assert chips(page) == [
        "today ✕",
        "account 7 ✕",
        "account Acme, Inc. ✕",
        "IP address 203.0.113.7 ✕",
        "not type view ✕",
        "search “paid” ✕",
        "payload.status open ✕",
        "payload.status paid ✕",
        "Clear all",
    ]
    kept = parameters(re.findall(r'<a href="([^"]*)" aria-label="Remove account 7"', html.unescape(page))[0])
    assert kept["account_id"] == ["Acme\\, Inc."]
    assert kept["range"] == ["today"]
    for name, removed in {
        "today": "range",
        "not type view": "-type",
        "search “paid”": "q",
        "IP address 203.0.113.7": "submitter_ip",
    }.items():
        [href] = re.findall(rf'<a href="([^"]*)" aria-label="Remove {name}"', html.unescape(page))
        assert parameters(page[0] + href).keys() == parameters(query).keys() - {
            removed,
            *(["case"] if removed == "q" else []),
        }
    assert chips(fetch(viewer_client)) == []


def test_many_values_make_few_chips(viewer_client: Client) -> None:
    page = fetch(viewer_client, "?account_id=7&-type=" + ",".join(f"type{n}" for n in range(99)))
    assert chips(page)[-2:] == ["and 80 more", "Clear all"]
    assert sentence(page).endswith("type8, type9 or 89 more")
    assert len(page) < 150_000


def test_hostile_values_show_harmlessly(viewer_client: Client) -> None:
    values = {
        "account_id": f"a{ATTACK}",
        "type": "x" * 500,
        "q": ATTACK,
        "payload.a": ATTACK,
        "-sub_type": ATTACK,
    }
    for page in (
        viewer_client.get(LISTING, values).content.decode(),
        viewer_client.get(LISTING, {**values, "range": ATTACK, "tz": ATTACK, ATTACK: "1"}).content.decode(),
    ):
        assert "<script>alert" not in page
        assert "\u202e" not in re.sub(r'value="[^"]*"|data-copy="[^"]*"', "", page)
        assert "\\u202e" in page
    title = re.search(r"<title>(.*?)</title>", fetch(viewer_client, "?type=" + "x" * 500))
    assert title
    assert len(title[1]) < 150


@pytest.mark.parametrize(
    ("query", "label", "field"),
    [
        ("?range=soon", "Time range", "id_range"),
        ("?from=soon", "From", "id_range"),
        ("?range=-1h&to=2026-11-01", "Time range", "id_range"),
        ("?tz=Atlantis", "Time zone", "id_tz"),
        ("?account_id=7%23", "Account", "id_account_id"),
        ("?trace_id=7", "Trace ID", "id_trace_id"),
        ("?q=" + "x" * 501, "Search text, or an ID", "id_q"),
        ("?payload.=1", "payload.", "id_payload."),
    ],
)
def test_error_is_listed_once_with_its_field(
    viewer_client: Client, query: str, label: str, field: str
) -> None:
    page = fetch(viewer_client, query, status=400)
    errors = re.search(r'<ul class="errorlist">(.*?)</ul>', page, re.DOTALL)
    assert errors
    assert page.count("errorlist") == 1
    assert f'<a href="#{field}">{label}</a>: ' in errors[1]
    shown = re.search(rf'<input [^>]*id="{re.escape(field)}"[^>]*>', page)
    assert shown
    assert "aria-invalid" in shown[0]
    assert page.count("<title>Error: ") == 1


def test_error_without_a_field_has_no_link(viewer_client: Client) -> None:
    page = fetch(viewer_client, "?limit=0&around=x&nonsense=1", status=400)
    errors = re.search(r'<ul class="errorlist">(.*?)</ul>', page, re.DOTALL)
    assert errors
    assert "<a " not in errors[1]
    assert errors[1].count("<li>") == 3


def test_page_around_a_log_says_around(viewer_client: Client) -> None:
    store(make_item(number) for number in range(60))
    page = fetch(viewer_client, f"?around={make_item(30).id}&account_id=7")
    assert sentence(page) == "Logs of account 7 around 1 Nov 2026 00:00:30 UTC"


def test_filters_count_their_fields(viewer_client: Client) -> None:
    page = fetch(viewer_client, "?account_id=7&-type=a,b&submitter_city=Sofia&q=x&range=today")
    assert "Filters (3)" in page
    assert '<details class="logs-filters">' in page
    assert '<details class="logs-more" open>' in page
    wrong = fetch(viewer_client, "?trace_id=7", status=400)
    assert '<details class="logs-filters" open>' in wrong
    assert '<details class="logs-more" open>' in wrong


def test_form_is_small(viewer_client: Client) -> None:
    page = fetch(viewer_client)
    bar = page.split('<form method="get" id="logs-filter"')[1].split("</form>")[0]
    fields = page.split('<section id="changelist-filter"')[1].split("</section>")[0]
    assert len(bar) + len(fields) <= 15_000
