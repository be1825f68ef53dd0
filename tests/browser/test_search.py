"""A search that continues by its script: progress, stop, pause, errors, and a sign-in that ends."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from logs.models import LogItem
from logsite.accounts.models import User
from logsite.accounts.sessions import SessionStore
from tests.browser.chromium import sign_in
from tests.conftest import PASSWORD
from tests.items import make_item, store
from tests.pages import LISTING

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("logs_table")]

# A page examines this many logs, so a search of all takes five pages.
EXAMINED = 240
SEARCH = f"{LISTING}?sub_type=rare"


@pytest.fixture(autouse=True)
def _budget(settings: Any) -> None:
    settings.LOGS_MAX_EXAMINED = EXAMINED


class Held:
    """The requests for following pages, held until the test lets them go."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.routes: list[Route] = []
        self.addresses: list[str] = []
        page.route("**/*cursor=*", self.hold)

    def hold(self, route: Route) -> None:
        self.routes.append(route)
        self.addresses.append(route.request.url)

    def wait(self) -> Route:
        """Return the next request."""
        while not self.routes:
            self.page.wait_for_timeout(10)
        return self.routes.pop(0)

    def release(self) -> None:
        """Let the next request go."""
        self.wait().continue_()


@pytest.fixture
def held(page: Page) -> Iterator[Held]:
    """Hold the requests for following pages."""
    held = Held(page)
    yield held
    page.unroute_all(behavior="ignoreErrors")


def store_rare(*numbers: int) -> None:
    """Store 1,000 logs, one a second. Those with these numbers have the subtype."""
    store(make_item(n, sub_type="rare" if n in numbers else "password") for n in range(1_000))


def rows(page: Page) -> Locator:
    return page.locator("#result_list tbody th a")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("link", name=name, exact=True)


def test_stopping_a_search_keeps_its_rows_and_place(page: Page, held: Held) -> None:
    store_rare(*range(50, 1_000, 100))
    page.goto(SEARCH)
    progress = page.locator("#logs-progress")
    expect(progress).to_contain_text("Rows so far: 2. Searched 240 logs, ")
    expect(progress).to_contain_text(" a second, back to 1 Nov 2026 00:12:40 UTC.")
    held_route = held.wait()
    button(page, "Stop").click()
    expect(progress).to_contain_text("Stopped. Rows so far: 2.")
    held_route.continue_()
    with page.expect_response("**/*cursor=*", timeout=30_000) as response:
        pass
    response.value.finished()
    expect(rows(page)).to_have_count(2)

    button(page, "Keep searching").click()
    expect(rows(page)).to_have_count(5)
    for _ in range(3):
        held.release()
    expect(rows(page)).to_have_count(10)
    expect(progress).to_contain_text("Rows: 10. Searched 1,000 logs, ")
    expect(page.locator("#logs-onward a")).to_have_count(0)
    assert len(held.addresses) == len(set(held.addresses)) == 4, "no page is read twice"
    assert page.locator("#result_list tr[data-day]").count() <= 1, "a day has one heading"
    page.locator(".logs-cost summary").click()
    expect(page.get_by_text("Items examined: 1000", exact=True)).to_be_visible()
    expect(page.locator(".logs-span")).to_have_text("2026-11-01 00:15:50 – 2026-11-01 00:00:50 UTC")
    expect(page.locator("[data-page=next]")).to_have_attribute("aria-disabled", "true")


def test_search_pauses_after_a_minute_and_in_the_background(page: Page, held: Held) -> None:
    store_rare(950)
    page.clock.install()
    page.goto(SEARCH)
    route = held.wait()
    page.clock.fast_forward(61_000)
    route.continue_()
    progress = page.locator("#logs-progress")
    expect(progress).to_contain_text("Paused after a minute. Rows so far: 1. Searched 480 logs")

    button(page, "Keep searching").click()
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    held.release()
    expect(progress).to_contain_text("Paused in the background. Rows so far: 1. Searched 720 logs")
    page.evaluate("delete document.hidden")

    button(page, "Keep searching").click()
    held.release()
    held.release()
    expect(progress).to_contain_text("Rows: 1. Searched 1,000 logs")


def test_ended_sign_in_leads_to_the_login_and_back(page: Page, held: Held, viewer: User) -> None:
    store_rare(5)
    page.goto(SEARCH)
    for _ in range(2):
        held.release()
    route = held.wait()
    [cookie] = [each for each in page.context.cookies() if each["name"] == "sessionid"]
    SessionStore(cookie["value"]).delete()
    route.continue_()
    expect(page.get_by_label("Username")).to_be_visible()
    page.unroute_all(behavior="ignoreErrors")
    sign_in(page, viewer.username, PASSWORD)
    # There were no rows yet, so the search goes on where it was.
    expect(rows(page)).to_have_count(1)
    assert "cursor=" in page.url
    expect(page.locator("#logs-progress")).to_contain_text("Rows: 1. Searched 280 logs")


def test_search_without_a_result_offers_the_next_steps(page: Page) -> None:
    store_rare()
    page.goto(f"{SEARCH}&from=2026-11-01&to=2026-11-02")
    steps = page.get_by_role("list", name="Next steps")
    expect(steps.get_by_role("link")).to_have_text(
        ["Widen the range to 7 days", "Search all times", "Remove subtype rare"]
    )
    expect(page.locator(".logs-empty")).to_contain_text("No logs match. Searched everything back to")


def test_failed_page_of_a_search_can_be_read_again(page: Page, site: str) -> None:
    store_rare(1)
    # Not in the page of the fixture: the browser reports a failed request in its console.
    browser = page.context.browser
    assert browser
    context = browser.new_context(base_url=site, storage_state=page.context.storage_state())
    other = context.new_page()
    other.route("**/*cursor=*", lambda route: route.abort())
    other.goto(SEARCH)
    progress = other.locator("#logs-progress")
    expect(progress).to_contain_text("The logs cannot be read. Try again in a moment. Rows so far: 0.")
    other.unroute_all()
    button(other, "Keep searching").click()
    expect(rows(other)).to_have_count(1)
    expect(progress).to_contain_text("Searched 1,000 logs")
    assert LogItem.count() == 1_000
    context.close()
