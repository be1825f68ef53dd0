"""The filter in a real browser: range, time zone, buttons, typed values, errors, a phone."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from logsite.accounts.models import User
from tests.browser.chromium import sign_in
from tests.conftest import PASSWORD
from tests.items import make_item, store
from tests.pages import LISTING

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("logs_table")]

YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).replace(hour=9, minute=30, second=0, microsecond=0)


def heading(page: Page) -> str:
    """Return the heading without its year, so that it needs no clock."""
    return page.locator("h1.logs-sentence").inner_text()


def test_range_and_presets_by_keyboard_keep_typed_values(page: Page) -> None:
    store(make_item(n, created_at=YESTERDAY + timedelta(hours=n), account_id="7") for n in range(3))
    page.goto(LISTING)
    page.get_by_label("Account:", exact=True).fill("7")
    page.get_by_label("Time range").fill("yesterday 9-10")
    page.keyboard.press("Enter")
    expect(page.locator("#result_list tr[id]")).to_have_count(1)
    assert page.url.endswith("?range=yesterday+9-10&account_id=7"), "the URL omits empty fields"
    expect(page.get_by_label("Time range")).to_have_value("yesterday 9-10")
    expect(page).to_have_title(f"{heading(page)} | Logsite")
    copied = page.get_by_role("button", name="Copy link")
    expect(copied).to_have_attribute("data-copy", re.compile(r"\?account_id=7&from=\d{4}-.*&to=\d{4}-"))

    # A button sends what was typed before.
    page.get_by_label("Type:", exact=True).fill("login")
    page.get_by_role("button", name="7 days").click()
    expect(page.locator("#result_list tr[id]")).to_have_count(3)
    assert "type=login" in page.url
    assert "range=-7d" in page.url
    page.get_by_label("User:", exact=True).fill("12")
    page.get_by_role("button", name="Time (UTC)").click()
    expect(page.get_by_label("User:", exact=True)).to_have_value("12")
    assert "order=oldest" in page.url
    page.get_by_role("link", name="Remove account 7").click()
    expect(page.get_by_label("Account:", exact=True)).to_have_value("")

    # The browser's history keeps what was typed and not sent.
    page.get_by_label("Object:", exact=True).fill("invoice:4711")
    page.get_by_role("link", name="Clear all").click()
    expect(page.get_by_label("Object:", exact=True)).to_have_value("")
    page.go_back()
    expect(page.get_by_label("Object:", exact=True)).to_have_value("invoice:4711")


def test_browser_zone_is_one_click_away(browser: Browser, site: str, viewer: User) -> None:
    store([make_item(1, created_at=YESTERDAY)])
    context = browser.new_context(base_url=site, timezone_id="Asia/Tokyo")
    page = context.new_page()
    page.goto(f"{LISTING}?range=yesterday+9-10")
    sign_in(page, viewer.username, PASSWORD)
    page.get_by_role("button", name="Tokyo (+9)").click()
    expect(page.locator("#result_list tbody")).to_contain_text("18:30:00")
    expect(page.locator("h1")).to_contain_text("18:00–19:00 Tokyo time")
    expect(page.get_by_role("button", name="Tokyo (+9)")).to_have_count(1)
    page.get_by_label("Other time zone").fill("berlin")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Berlin time")
    page.get_by_role("button", name="UTC", exact=True).click()
    expect(page.locator("h1")).to_contain_text("09:00–10:00 UTC")
    context.close()


def test_error_leads_to_its_folded_field(browser: Browser, site: str, viewer: User) -> None:
    context = browser.new_context(base_url=site, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{LISTING}?account_id=7&type=view&-type=login&range=soon")
    sign_in(page, viewer.username, PASSWORD)
    expect(page.locator(".errorlist li")).to_have_count(1)
    expect(page.get_by_label("Account:", exact=True)).to_be_hidden()
    page.locator("summary", has_text="Filters (3)").click()
    expect(page.get_by_label("Account:", exact=True)).to_have_value("7")
    page.get_by_label("Trace ID:", exact=True).fill("7")
    page.get_by_label("Time range").fill("today")
    page.get_by_role("button", name="Apply", exact=True).click()
    page.locator("summary", has_text="Filters (4)").click()
    expect(page.get_by_label("Trace ID:", exact=True)).to_be_hidden()
    page.locator(".errorlist").get_by_role("link", name="Trace ID").click()
    expect(page.get_by_label("Trace ID:", exact=True)).to_be_focused()
    for name in ("q", "range", "account_id", "trace_id"):
        size = page.locator(f"[name={name}]").evaluate("field => getComputedStyle(field).fontSize")
        assert size == "16px", name
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
