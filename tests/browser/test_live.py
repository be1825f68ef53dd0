"""Live in a real browser: new rows appear, and nothing moves that the reader looks at."""

import os
import random
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from logs.models import LogItem
from logsite.accounts.models import User
from logsite.accounts.sessions import SessionStore
from tests.browser.chromium import sign_in
from tests.conftest import PASSWORD
from tests.dynamodb_calls import recorded_calls
from tests.hands import first_page
from tests.items import make_item, store
from tests.pages import LISTING

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("logs_table")]

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(autouse=True)
def current_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin each test now. The tests were collected minutes ago."""
    monkeypatch.setitem(globals(), "NOW", datetime.now(UTC).replace(microsecond=0))


SECONDS = 4


def add(*numbers: int, **changes: Any) -> list[LogItem]:
    """Store logs, each a tenth of a second newer than the one before. The log 0 is from a minute ago."""
    items = [make_item(n, **{"created_at": NOW + timedelta(seconds=n / 10 - 60), **changes}) for n in numbers]
    store(items)
    return items


def ids(page: Page) -> list[str]:
    """Return the ids of the rows, from top to bottom."""
    names: list[str] = page.locator("#result_list").evaluate("table => [...table.rows].map(row => row.id)")
    return [name.removeprefix("log-") for name in names if name]


def newest_first(items: list[LogItem]) -> list[str]:
    return [item.id for item in sorted(items, key=lambda item: item.created_at, reverse=True)]


def switch(page: Page) -> Locator:
    return page.get_by_role("button", name="Live", exact=True)


def state(page: Page) -> Locator:
    return page.locator("#logs-live-state")


def follow(page: Page, address: str = "") -> None:
    """Open the listing with a clock that the test can move, and switch live on."""
    page.clock.install()
    page.goto(f"{LISTING}{address}")
    with page.expect_response("**/live/**"):
        switch(page).click()
    page.mouse.move(2, 2)


def poll(page: Page, seconds: int = SECONDS) -> None:
    """Let the script ask for new rows."""
    with page.expect_response("**/live/**") as response:
        page.clock.run_for(1000 * seconds)
    response.value.finished()


def test_follow_a_customer_live(page: Page) -> None:
    add(*range(20))
    add(30, account_id="8")
    account = page.locator("#result_list tbody").get_by_role("link", name="7", exact=True).first
    first = page.locator("#result_list tbody tr[id]").first
    page.clock.install()
    with first_page(page, clicks=2, keystrokes=0) as hands:
        hands.open(account)
        with page.expect_response("**/live/**"):
            hands.click(switch(page))
        add(40)
        add(41, account_id="8")
        poll(page)
        expect(first).to_have_id(f"log-{make_item(40).id}")
    with first_page(page, clicks=0, keystrokes=4) as hands:
        hands.press("f")
        hands.type("7")
        hands.follow("Enter")
        with page.expect_response("**/live/**"):
            hands.press("l")
        expect(switch(page)).to_have_attribute("aria-pressed", "true")
        add(50, created_at=datetime.now(UTC))
        poll(page)
        expect(first).to_have_id(f"log-{make_item(50).id}")
        # The age of the newest log follows the rows.
        expect(page.locator("[data-freshness] time")).to_have_text(re.compile("^1?[0-9] s$"))


def test_new_rows_move_nothing_that_is_in_use(page: Page) -> None:
    page.set_viewport_size({"width": 1440, "height": 700})
    items = add(*range(60))
    follow(page, "?limit=25")
    shown = items[-25:]
    # The reader looks at the top: new rows appear there, and the page does not scroll.
    shown += add(60, 61)
    poll(page)
    expect(state(page)).to_have_text("2 new logs")
    expect(page.locator("#logs-live-new")).to_be_hidden()
    assert ids(page) == newest_first(shown)
    assert page.evaluate("scrollY") == 0

    # The reader has a row open, the focus in it, selected a text, and scrolled.
    row = page.locator(f"#log-{items[45].id}")
    row.get_by_role("button", name="Details").click()
    expect(page.locator(".logs-pane")).to_be_visible()
    row.locator("th a").focus()
    page.mouse.move(2, 2)
    page.evaluate("getSelection().selectAllChildren(document.querySelector('.logs-pane'))")
    row.evaluate("row => row.scrollIntoView({block: 'center'})")
    top, selected = row.bounding_box(), page.evaluate("getSelection().toString()")
    for n in range(3):
        # The second one of each belongs among rows that are shown already.
        shown += [
            *add(70 + n),
            *add(100 + n, created_at=items[55].created_at + timedelta(milliseconds=n + 1)),
        ]
        poll(page)
        expect(state(page)).to_have_text("2 new logs")
        expect(page.locator("#logs-live-new")).to_have_text(f"{2 * n + 2} new")
        assert row.bounding_box() == top
    assert page.evaluate("document.activeElement.closest('tr').id") == f"log-{items[45].id}"
    assert page.evaluate("getSelection().toString()") == selected
    assert ids(page) == newest_first(shown)
    expect(page.locator(".logs-pane")).to_be_visible()
    expect(page.locator("[aria-expanded=false]")).to_have_count(len(shown) - 1)

    page.locator("#logs-live-new").click()
    expect(page.locator("#result_list tbody tr[id]").first).to_be_in_viewport()
    expect(page.locator("#logs-live-new")).to_be_hidden()


def test_days_span_and_empty_pages_stay_right(page: Page) -> None:
    follow(page, "?type=new&tz=Asia/Tokyo")
    expect(page.locator("#logs-empty")).to_be_visible()
    new = add(2, 3, type="new")
    poll(page)
    expect(page.locator("#logs-empty")).to_have_count(0)
    assert ids(page) == newest_first(new)
    expect(page.locator("#result_list tr[data-day]")).to_have_count(1)
    day, clock = (new[1].created_at + timedelta(hours=9)).isoformat()[:19].split("T")
    expect(page.locator(".logs-span")).to_contain_text(f"{day} {clock} – ")

    old = add(4, type="old", created_at=NOW - timedelta(days=1, seconds=70))
    with page.expect_response("**/live/**"):
        page.goto(f"{LISTING}?type=old#live")
    assert ids(page) == newest_first(old)
    old += add(5, 6, type="old", summary="<b>bold</b> \u202e")
    poll(page)
    days = page.locator("#result_list tr[data-day]")
    expect(days).to_have_count(2)
    assert ids(page) == newest_first(old)
    expect(days.nth(1).locator("xpath=following-sibling::tr")).to_have_id(f"log-{old[0].id}")
    expect(page.locator("#result_list b")).to_have_count(0)
    last, first = (f"{old[n].created_at:%Y-%m-%d %H:%M:%S}" for n in (2, 0))
    expect(page.locator(".logs-span")).to_have_text(f"{last} – {first} UTC")


def test_busy_live_misses_and_repeats_no_row(page: Page) -> None:
    """20 logs a second, in disorder. LIVE_SECONDS=590 lasts until live stops after ten minutes."""
    seconds = int(os.environ.get("LIVE_SECONDS", "20"))
    chance = random.Random(16)
    start = datetime.now(UTC) - timedelta(seconds=seconds + 60)
    items = [
        make_item(n, created_at=start + timedelta(seconds=n / 20), account_id=str(n % 9))
        for n in range(20 * (seconds + 10))
    ]
    arrivals = sorted(items, key=lambda item: item.created_at.timestamp() + chance.uniform(0, 2))
    store(arrivals[:200])
    follow(page)
    page.clock.pause_at(datetime.now() + timedelta(seconds=2))  # noqa: DTZ005  as Playwright reads it
    last = page.locator("#result_list tbody tr[id]").last
    last.locator("th a").focus()
    last.evaluate("row => row.scrollIntoView({block: 'center'})")
    first, top = arrivals[:200], last.bounding_box()
    oldest = min(item.created_at for item in first if item.id in set(ids(page)))
    for position in range(200, len(arrivals), 20 * SECONDS):
        store(arrivals[position : position + 20 * SECONDS])
        with recorded_calls() as calls:
            poll(page)
        assert [operation for operation, _ in calls] == ["BatchGetItem", "Query"]
        expect(state(page)).to_have_text(re.compile("^[0-9]+ new logs$"))
        assert last.bounding_box() == top
    expected = newest_first([item for item in items if item.created_at >= oldest])
    expect(page.locator("#result_list tbody tr[id]")).to_have_count(len(expected))
    assert ids(page) == expected
    assert page.evaluate("document.activeElement.closest('tr').id") == f"log-{expected[-1]}"


def hide(page: Page, value: str) -> None:
    """Let the tab be hidden or not, as the browser reports it."""
    page.evaluate(f"Object.defineProperty(document, 'hidden', {{value: {value}, configurable: true}})")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_live_stops_and_continues_without_a_gap(page: Page) -> None:
    items = add(*range(10))
    follow(page)
    hide(page, "true")
    expect(state(page)).to_have_text("Paused in the background.")
    items += add(*range(100, 330))
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.clock.run_for(60_000)
    assert requests == []
    hide(page, "false")
    expect(page.locator("#result_list tbody tr[id]")).to_have_count(240)
    assert ids(page) == newest_first(items)
    # Each request waits for the one before.
    assert len(requests) == 2

    switch(page).click()
    expect(state(page)).to_have_text("Paused.")
    items += add(400)
    with page.expect_response("**/live/**"):
        switch(page).click()
    expect(page.locator("#result_list tbody tr[id]")).to_have_count(241)
    page.clock.fast_forward(601_000)
    expect(state(page)).to_have_text("Stopped after ten minutes.")
    expect(switch(page)).to_have_attribute("aria-pressed", "false")


def test_errors_and_an_ended_sign_in_lose_no_row(page: Page, viewer: User) -> None:
    items = add(*range(10))
    follow(page, "?account_id=7")
    page.evaluate("[window.kept, window.fetch] = [fetch, () => Promise.reject(new TypeError())]")
    page.clock.run_for(4_000)
    expect(state(page)).to_have_text("The logs cannot be read. Trying again.")
    page.evaluate("void (window.fetch = kept)")
    items += add(20)
    poll(page, 8)
    expect(state(page)).to_have_text("1 new log")
    [cookie] = [each for each in page.context.cookies() if each["name"] == "sessionid"]
    SessionStore(cookie["value"]).delete()
    items += add(30)
    page.clock.run_for(4_000)
    expect(page.get_by_label("Username")).to_be_visible()
    sign_in(page, viewer.username, PASSWORD)
    expect(switch(page)).to_have_attribute("aria-pressed", "true")
    assert page.url.endswith("?account_id=7#live")
    assert ids(page) == newest_first(items)
