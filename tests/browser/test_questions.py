"""The questions of docs/pages.md in a real browser, with their clicks and keystrokes.

Each question begins at the first page of the listing. It takes at most three clicks and 20 keystrokes.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from logs.models import LogItem
from tests.conftest import client_of, empty_logs_table, make_user
from tests.hands import first_page
from tests.items import make_item, store

pytestmark = pytest.mark.browser

NOW = datetime.now(UTC).replace(microsecond=0)
TODAY = NOW.replace(hour=0, minute=0, second=0)
YESTERDAY = TODAY - timedelta(days=1)
LAST_WEEK = TODAY - timedelta(days=TODAY.weekday() + 7)

INVOICE = {"object_type": "invoice", "object_id": "4711", "url": "/invoices/4711"}


def payload(**values: Any) -> dict[str, str]:
    """Return the fields of a log with this payload."""
    return {"payload": json.dumps(values), "payload_type": "json"}


def minutes_ago(number: int, **fields: Any) -> LogItem:
    """Return the log of so many minutes ago. Its number is the minutes."""
    return make_item(number, created_at=NOW - timedelta(minutes=number), **{"account_id": "9", **fields})


# The last logs, by their numbers from newest to oldest.
RECENT = [
    minutes_ago(1, type="login", sub_type="failed", user_id="0", submitter_country="Germany"),
    minutes_ago(2, type="error", sub_type="502", user_id="36"),
    minutes_ago(3, type="view", sub_type="page", user_id="40", account_id="8"),
    minutes_ago(4, type="payment", sub_type="card", user_id="36"),
    minutes_ago(
        5,
        type="update",
        user_id="38",
        user_name="Zoë",
        **INVOICE,
        **payload(changes={"status": ["open", "Paid"], "due": ["2026-12-01", "2026-12-15"]}),
    ),
    minutes_ago(6, type="payment", sub_type="failed", user_id="36", submitter_country="Germany"),
    minutes_ago(7, type="login", sub_type="failed", user_id="0", submitter_country="France"),
    minutes_ago(8, type="view", user_id="41", **INVOICE),
    minutes_ago(9, type="email", user_id="41", **payload(text="Your invoice was paid.")),
    minutes_ago(10, type="login", sub_type="failed", user_id="0", submitter_country="Germany"),
]
EARLIER = [
    make_item(number, created_at=moment, account_id=account, user_id=user)
    for number, moment, account, user in (
        (20, YESTERDAY.replace(hour=10), "7", "34"),
        (21, YESTERDAY.replace(hour=9, minute=45), "7", "34"),
        (22, YESTERDAY.replace(hour=9, minute=30), "8", "34"),
        (23, YESTERDAY.replace(hour=9), "7", "35"),
        (24, YESTERDAY.replace(hour=8, minute=59, second=59), "7", "34"),
        (30, LAST_WEEK + timedelta(days=7, seconds=-1), "9", "12"),
        (31, LAST_WEEK + timedelta(days=3), "9", "13"),
        (32, LAST_WEEK, "7", "12"),
        (33, LAST_WEEK - timedelta(seconds=1), "7", "12"),
    )
]
LAST_MONTH = (TODAY.replace(day=1) - timedelta(days=1)).replace(day=1)
PAID = [
    make_item(40, created_at=TODAY.replace(day=1) - timedelta(seconds=1), **payload(amount="=1")),
    make_item(41, created_at=LAST_MONTH, **payload(amount="=2")),
    make_item(42, created_at=LAST_MONTH - timedelta(seconds=1), **payload(amount="=3")),
]
NUMBERS = {item.id: number for number in range(50) for item in [make_item(number)]}


@pytest.fixture(scope="module")
def context(browser: Browser, site: str, dynamodb_engine: str) -> Iterator[BrowserContext]:
    """Store the logs, and yield a browser in Berlin that is signed in."""
    empty_logs_table()
    store([*RECENT, *EARLIER, *PAID])
    viewer = make_user("viewer", is_staff=True, permissions={"logs.view_log"})
    cookie = client_of(viewer).cookies[settings.SESSION_COOKIE_NAME].value
    context = browser.new_context(base_url=site, timezone_id="Europe/Berlin")
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": site}])
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """Open a tab. An error in the browser fails the test."""
    errors: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert errors == []


def field(page: Page, label: str) -> Locator:
    """Return the field of the filter with this label."""
    return page.get_by_label(f"{label}:", exact=True)


def row(page: Page, number: int) -> Locator:
    """Return the row of a log."""
    return page.locator(f"#log-{make_item(number).id}")


def numbers(page: Page) -> list[int]:
    """Return the numbers of the logs in the rows."""
    expect(page.locator("#logs-onward a")).to_have_count(0)  # the search is complete
    ids = page.locator("#result_list tr[id]").evaluate_all("rows => rows.map(row => row.id.slice(4))")
    return [NUMBERS[log_id] for log_id in ids]


def test_what_account_7_did_yesterday_from_9_to_10(page: Page) -> None:
    with first_page(page, clicks=2, keystrokes=16) as hands:
        hands.click(field(page, "Account"))
        hands.type("7")
        hands.click(page.get_by_label("Time range"))
        hands.type("yesterday 9-10")
        hands.follow("Enter")
    assert numbers(page) == [21, 23]
    with first_page(page, clicks=0, keystrokes=19) as hands:
        hands.press("f")
        hands.type("7")
        hands.follow("Enter")
        hands.press("t")
        hands.type("yesterday 9-10")
        hands.follow("Enter")
    assert numbers(page) == [21, 23]


def test_what_happened_right_before_an_error(page: Page) -> None:
    before = page.locator("#around .logs-this + li")
    with first_page(page, clicks=2, keystrokes=0) as hands:
        hands.click(row(page, 2).locator("th a"))
        expect(before).to_contain_text("payment card")
        hands.click(page.locator("#around").get_by_role("link", name="everything"))
        expect(before).to_contain_text("view page")
    with first_page(page, clicks=0, keystrokes=3) as hands:
        hands.press("j", "j")
        hands.follow("Enter")
        expect(before).to_contain_text("payment card")


def test_everything_of_user_12_last_week(page: Page) -> None:
    with first_page(page, clicks=2, keystrokes=12) as hands:
        hands.click(field(page, "User"))
        hands.type("12")
        hands.click(page.get_by_label("Time range"))
        hands.type("last week")
        hands.follow("Enter")
    assert numbers(page) == [30, 32]
    with first_page(page, clicks=0, keystrokes=18) as hands:
        hands.press("t")
        hands.type("last week")
        hands.follow("Enter")
        hands.press("f", "Tab", "Tab", "Tab")
        hands.type("12")
        hands.follow("Enter")
    assert numbers(page) == [30, 32]


def test_who_changed_invoice_4711_and_what(page: Page) -> None:
    changes = page.locator(".logs-changes tbody tr")
    with first_page(page, clicks=2, keystrokes=13) as hands:
        hands.click(field(page, "Object"))
        hands.type("invoice:4711")
        hands.follow("Enter")
        assert numbers(page) == [5, 8]
        expect(row(page, 5).locator("td.u")).to_contain_text("38 Zoë")
        hands.click(row(page, 5).get_by_role("button", name="Details"))
        expect(changes).to_contain_text(["status", "due"])
        assert changes.nth(0).locator("td").all_inner_texts() == ["open", "Paid"]
    with first_page(page, clicks=0, keystrokes=20) as hands:
        hands.press("f", "Tab", "Tab", "Tab", "Tab")
        hands.type("invoice:4711")
        hands.follow("Enter")
        hands.press("j", "e")
        expect(changes).to_contain_text(["status", "due"])


def test_failed_logins_from_germany(page: Page) -> None:
    with first_page(page, clicks=3, keystrokes=19) as hands:
        for label, value in {"Type": "login", "Subtype": "failed", "Country": "Germany"}.items():
            hands.click(field(page, label))
            hands.type(value)
        hands.follow("Enter")
    assert numbers(page) == [1, 10]
    with first_page(page, clicks=0, keystrokes=16) as hands:
        hands.press("j")
        hands.follow("s")
        assert numbers(page) == [1, 7, 10]
        hands.press("f", "Tab", "Tab", "Tab", "Tab", "Tab")
        hands.type("Germany")
        hands.follow("Enter")
    assert numbers(page) == [1, 10]


def test_whether_a_log_is_there(page: Page) -> None:
    with first_page(page, clicks=1, keystrokes=3) as hands:
        page.evaluate("text => navigator.clipboard.writeText(text)", make_item(33).id)
        hands.click(page.get_by_label("Search text, or an ID"))
        hands.press("Control+v")
        hands.follow("Enter")
    assert f"/{make_item(33).id}/change/" in page.url
    with first_page(page, clicks=0, keystrokes=4) as hands:
        page.evaluate("text => navigator.clipboard.writeText(text)", make_item(34).id)
        hands.press("/", "Control+v")
        hands.follow("Enter")
    expect(page.locator("#content")).to_contain_text("No log")


def test_paid_in_payloads_in_any_letter_case_or_not(page: Page) -> None:
    search = page.get_by_label("Search text, or an ID")
    with first_page(page, clicks=1, keystrokes=5) as hands:
        hands.click(search)
        hands.type("paid")
        hands.follow("Enter")
    assert numbers(page) == [5, 9]
    expect(page.locator("mark")).to_have_text(["Paid", "paid"])
    with first_page(page, clicks=3, keystrokes=4) as hands:
        hands.click(search)
        hands.type("Paid")
        hands.click(page.get_by_label("match case"))
        hands.open(page.get_by_role("button", name="Apply", exact=True))
    assert numbers(page) == [5]
    with first_page(page, clicks=0, keystrokes=6) as hands:
        hands.press("/")
        hands.type("paid")
        hands.follow("Enter")
    assert numbers(page) == [5, 9]
    with first_page(page, clicks=0, keystrokes=8) as hands:
        hands.press("/")
        hands.type("Paid")
        hands.press("Tab", "Space")
        hands.follow("Enter")
    assert numbers(page) == [5]


def test_sharing_a_view_copies_absolute_times(page: Page) -> None:
    copied = page.get_by_role("button", name="Copied")
    with first_page(page, clicks=2, keystrokes=0) as hands:
        hands.open(page.get_by_role("button", name="1 h", exact=True))
        hands.click(page.get_by_role("button", name="Copy link"))
        expect(copied).to_be_visible()
    shown = numbers(page)
    page.goto(page.evaluate("navigator.clipboard.readText()"))
    assert "range=-1h" not in page.url
    assert numbers(page) == shown
    with first_page(page, clicks=0, keystrokes=12) as hands:
        hands.press("t")
        hands.type("-1h")
        hands.follow("Enter")
        hands.press("t", "Tab", "Tab", "Tab", "Tab", "Tab", "Enter")
        expect(copied).to_be_visible()
    page.goto(page.evaluate("navigator.clipboard.readText()"))
    assert numbers(page) == shown


def test_the_same_in_berlin_time(page: Page) -> None:
    clock = (NOW - timedelta(minutes=1)).astimezone(ZoneInfo("Europe/Berlin")).strftime("%H:%M:%S")
    with first_page(page, clicks=1, keystrokes=0) as hands:
        hands.open(page.get_by_role("button", name=re.compile(r"Berlin \(\+\d\)")))
    expect(row(page, 1).locator("time")).to_contain_text(clock)
    with first_page(page, clicks=0, keystrokes=12) as hands:
        hands.press("t", "Tab", "Tab", "Tab", "Tab")
        hands.type("berlin")
        hands.follow("Enter")
    expect(row(page, 1).locator("time")).to_contain_text(clock)


def test_last_month_of_account_7_with_payloads(page: Page) -> None:
    button = page.get_by_role("button", name="Export", exact=True)
    with first_page(page, clicks=5, keystrokes=12, max_clicks=5) as hands:
        hands.click(field(page, "Account"))
        hands.type("7")
        hands.click(page.get_by_label("Time range"))
        hands.type("last month")
        hands.follow("Enter")
        hands.open(page.get_by_role("link", name="Export", exact=True))
        expect(page.locator("#content")).to_contain_text("account 7")
        hands.click(page.get_by_label("With payloads and extra fields"))
        with page.expect_download() as by_mouse:
            hands.click(button)
    with first_page(page, clicks=0, keystrokes=20) as hands:
        hands.press("f")
        hands.type("7")
        hands.follow("Enter")
        hands.press("t")
        hands.type("last month")
        hands.follow("Enter")
        hands.follow("x")
        expect(page.locator("[name=format]").first).to_be_focused()
        hands.press("Tab", "Tab", "Space")
        with page.expect_download() as by_keyboard:
            hands.press("Enter")
    for download in (by_mouse.value, by_keyboard.value):
        text = download.path().read_bytes().decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        assert [NUMBERS[row["id"]] for row in rows] == [40, 41]
        assert [json.loads(row["payload"]) for row in rows] == [{"amount": "=1"}, {"amount": "=2"}]
