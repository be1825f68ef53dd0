"""Questions about numbers in a real browser, with their clicks and keystrokes in docs/pages.md."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.hands import first_page
from tests.items import make_item, store

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("digests_table")]

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = NOW.replace(minute=0, second=0) - timedelta(hours=3)
EXPORTS, USERS, ERRORS = 119, 27, 40


@pytest.fixture
def numbers(page: Page, digests_table: None) -> Page:
    """Store exports of this week by 27 users, and many errors of one hour. Return a page."""
    exports = [
        make_item(n, created_at=NOW - timedelta(seconds=n + 1), type="export", user_id=str(1 + n % USERS))
        for n in range(EXPORTS)
    ]
    errors = [
        make_item(500 + n, created_at=HOUR + timedelta(seconds=n), type="error", user_id="0")
        for n in range(ERRORS)
    ]
    store([*exports, *errors])
    return page


def test_who_exported_this_week(numbers: Page) -> None:
    heading = numbers.get_by_role("heading", name=f"{EXPORTS} exports by {USERS} users")
    rows = numbers.locator(".logs-groups tbody tr")
    with first_page(numbers, clicks=3, keystrokes=0) as hands:
        hands.open(numbers.get_by_role("button", name="This week"))
        types = numbers.locator(".logs-facets").get_by_role("region", name="Types", exact=True)
        hands.open(types.get_by_role("link", name="export", exact=True))
        hands.open(numbers.get_by_role("link", name="Show all users"))
        expect(heading).to_be_visible()
        expect(rows).to_have_count(USERS)
    with first_page(numbers, clicks=0, keystrokes=23, max_keystrokes=23) as hands:
        hands.press("t")
        hands.type("this week")
        hands.follow("Enter")
        hands.press("f", "Tab")
        hands.type("export")
        hands.follow("Enter")
        expect(numbers.get_by_text("As a table", exact=True)).to_be_visible()
        hands.press("h", "Tab")
        hands.follow("Enter")
        expect(heading).to_be_visible()
        expect(rows).to_have_count(USERS)


def test_which_type_is_noisy(numbers: Page) -> None:
    day = f"{HOUR.day} {HOUR:%b} {HOUR.year}"
    row = numbers.get_by_role("row", name=f"{day} {HOUR:%H:%M} - ")
    with first_page(numbers, clicks=2, keystrokes=0) as hands:
        hands.open(numbers.get_by_role("button", name="24 h", exact=True))
        hands.click(numbers.get_by_text("As a table", exact=True))
        expect(row.get_by_role("cell")).to_have_text([str(ERRORS), "0", str(ERRORS)])
        expect(numbers.get_by_role("columnheader")).to_contain_text(["Time", "Logs", "export", "error"])
    with first_page(numbers, clicks=0, keystrokes=8) as hands:
        hands.press("t")
        hands.type("-24h")
        hands.follow("Enter")
        expect(numbers.get_by_text("As a table", exact=True)).to_be_visible()
        hands.press("h", "Enter")
        expect(row.get_by_role("cell")).to_have_text([str(ERRORS), "0", str(ERRORS)])
    # The hour is a link to its logs.
    row.get_by_role("link").click()
    expect(numbers.locator("#result_list tbody tr[id]")).to_have_count(ERRORS)


def test_numbers_do_not_move_the_rows(numbers: Page) -> None:
    place = numbers.locator("#logs-numbers")
    numbers.set_viewport_size({"width": 1440, "height": 900})
    with numbers.expect_response("**/numbers/**"):
        numbers.goto("/admin/logs/log/", wait_until="commit")
    expect(place.locator("svg.logs-chart")).to_be_visible()
    height = place.evaluate("place => place.offsetHeight")
    place.evaluate("place => place.replaceChildren()")
    place.evaluate("place => place.classList.add('logs-loading')")
    assert abs(place.evaluate("place => place.offsetHeight") - height) <= 30
