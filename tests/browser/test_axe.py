"""axe-core finds nothing serious on any page, in both color schemes and on a phone."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from logs import saved_views
from logs.exports import launch
from logs.models import LogItem
from logs.pages import export as exports
from logs.pages.view_tabs import owner_of
from logs.saved_views import SavedView
from logsite.dead_letters import queues
from tests.axe import violations
from tests.browser.chromium import sign_in
from tests.conftest import PASSWORD, make_user
from tests.exports import empty_exports_table
from tests.factories import make_body
from tests.items import make_item, store
from tests.memory_sqs import DEAD_LETTER_QUEUE_URL, QUEUE_URL, MemorySqs
from tests.pages import LISTING

pytest_plugins = ["tests.sqs_server"]
pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("logs_table")]

PAGES = {
    "listing": LISTING,
    "filtered listing": f"{LISTING}?account_id=7&type=login&-sub_type=x&from=2026-11-01&q=log",
    "open row around a log": f"{LISTING}?around={make_item(3).id}&open={make_item(3).id}",
    "numbers": f"{LISTING}numbers/?from=2026-11-01&to=2026-11-02",
    "freshness": f"{LISTING}freshness/",
    "groups": f"{LISTING}groups/?field=user_id",
    "overview": f"{LISTING}overview/",
    "errors": f"{LISTING}?from=x&limit=0&nonsense=1",
    "empty": f"{LISTING}?type=logn&from=2026-11-01&to=2026-11-02",
    "no log with an id": f"{LISTING}?q={'0' * 32}",
    "export": f"{LISTING}export/?account_id=7",
    "detail": f"{LISTING}{make_item(3).id}/change/",
    "timelines": f"{LISTING}{make_item(3).id}/timelines/",
    "missing log": f"{LISTING}{'0' * 32}/change/",
    "unknown address": "/admin/nothing/",
    "saved views": f"{LISTING}views/",
    "save view": f"{LISTING}views/add/?query=type%3Dlogin",
    "bad request": f"{LISTING}?{'a=1&' * 1001}",
    "index of the app": "/admin/logs/",
    "password change": "/admin/password_change/",
    "changed password": "/admin/password_change/done/",
}
DEAD_LETTERS = {
    "dead letters": "/admin/logs/deadletter/",
    "dead letter": "/admin/logs/deadletter/{}/change/",
}


class Walk:
    """Pages of one browser context: their violations, errors of the browser, and requests elsewhere."""

    def __init__(self, page: Page, site: str) -> None:
        self.page = page
        self.site = site
        self.problems: list[str] = []
        self.name = ""
        self.is_loading = False
        page.on("pageerror", lambda error: self.add(str(error)))
        page.on("request", lambda request: self.check_address(request.url))
        page.on("console", self.check_message)

    def add(self, problem: str) -> None:
        self.problems.append(f"{self.name}: {problem}")

    def check_address(self, address: str) -> None:
        if not address.startswith((self.site, "data:", "blob:")):
            self.add(f"request to {address}")

    def check_message(self, message: ConsoleMessage) -> None:
        # The browser reports the status of the page itself, such as 404. axe applies inline styles.
        is_own_status = message.location["url"] == self.page.url
        if message.type == "error" and self.is_loading and not is_own_status:
            self.add(message.text)

    def open(self, name: str, address: str) -> None:
        """Open a page."""
        self.name, self.is_loading = name, True
        self.page.goto(address)

    def check(self, name: str, ignored: tuple[str, ...] = ()) -> None:
        """Check the page that is open."""
        self.name, self.is_loading = name, False
        for problem in violations(self.page, ignored):
            self.add(problem)

    def visit(self, name: str, address: str) -> None:
        """Open a page and check it, with the parts that its scripts fetch."""
        self.open(name, address)
        expect(self.page.locator(".logs-loading")).to_have_count(0)
        self.check(name)


def test_axe_finds_nothing_serious_on_any_page(
    browser: Browser,
    site: str,
    memory_sqs: MemorySqs,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    tmp_path: Path,
) -> None:
    settings.LOGS_QUEUE_URL, settings.LOGS_DEAD_LETTER_QUEUE_URL = QUEUE_URL, DEAD_LETTER_QUEUE_URL
    queues.client.cache_clear()
    message_id = memory_sqs.put(DEAD_LETTER_QUEUE_URL, make_body(type="", payload=["x"]))
    store(
        make_item(n, payload='{"number": 1}', payload_type="json", object_type="invoice", object_id="1")
        for n in range(12)
    )
    context = browser.new_context(base_url=site)
    walk = Walk(context.new_page(), site)
    walk.visit("login", "/admin/login/")
    sign_in(walk.page, make_user("staff", is_staff=True).username, PASSWORD)
    walk.visit("permission denied", LISTING)
    walk.page.context.clear_cookies()
    walk.open("failed login", "/admin/login/")
    walk.page.get_by_label("Username").fill("nobody")
    walk.page.get_by_label("Password").fill("wrong")
    walk.page.get_by_role("button", name="Log in").click()
    walk.check("failed login")
    viewer = make_user("viewer", is_staff=True, permissions={"logs.view_log"})
    sign_in(walk.page, viewer.username, PASSWORD)
    saved_views.change(
        owner_of(viewer), lambda views: views.add(SavedView("0a", "Logins", "type=login"), starts=True)
    )
    for name, address in PAGES.items():
        walk.visit(name, address)
    viewer.permissions |= {"logs.replay_dead_letters"}
    viewer.save()
    for name, address in DEAD_LETTERS.items():
        walk.visit(name, address.format(message_id))
        expect(walk.page.get_by_role("link", name="Dead letters").first).to_be_visible()
    walk.open("keyboard shortcuts", LISTING)
    walk.page.get_by_role("button", name="Keyboard shortcuts").click()
    walk.check("keyboard shortcuts")
    walk.open("docs of the API", "/api/docs")
    expect(walk.page.locator(".opblock").first).to_be_visible()
    walk.check("docs of the API", ("nested-interactive",))
    with monkeypatch.context() as patch:
        patch.setenv("LOGS_EXPORTS_FOLDER", str(tmp_path))
        patch.setattr(launch, "start", lambda owner, export_id: None)
        patch.setattr(exports, "MAX_BYTES", 1)
        walk.open("running export", f"{LISTING}export/")
        walk.page.get_by_role("button", name="Export", exact=True).click()
        walk.check("running export")
        walk.visit("list of exports", f"{LISTING}export/")
    settings.LOGS_MAX_EXAMINED = 5
    walk.open("search", f"{LISTING}?sub_type=password&limit=200")
    expect(walk.page.locator("#logs-onward a")).to_have_count(0)
    walk.check("search")
    with monkeypatch.context() as patch:
        patch.setattr(LogItem.Meta, "table_name", "NoSuchTable")
        walk.visit("outage", LISTING)
    context.close()
    queues.client.cache_clear()
    empty_exports_table()
    assert walk.problems == []
