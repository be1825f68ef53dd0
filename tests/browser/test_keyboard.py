"""The listing by keyboard: search, rows, pages, help, and the switch."""

import pytest
from playwright.sync_api import Page, expect

from tests.items import make_item, store
from tests.pages import LISTING

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("logs_table")]


def focused_row(page: Page) -> int:
    """Return the number of the focused row, or -1."""
    number: int = page.evaluate(
        "[...document.querySelectorAll('#result_list tbody th a')].indexOf(document.activeElement)"
    )
    return number


def test_listing_is_read_by_keyboard(page: Page) -> None:
    store(make_item(n) for n in range(120))
    page.goto(LISTING)
    keys = page.keyboard
    for key, row in (("j", 0), ("j", 1), ("j", 2), ("k", 1)):
        keys.press(key)
        assert focused_row(page) == row
    # An open pane belongs to its row.
    keys.press("e")
    for key, row in (("j", 2), ("k", 0)):
        page.locator(".logs-pane-actions a").first.focus()
        keys.press(key)
        assert focused_row(page) == row
    keys.press("j")
    keys.press("e")
    expect(page.locator(".logs-pane")).to_be_hidden()
    for combination in ("Control+k", "Alt+j"):
        keys.press(combination)
        assert focused_row(page) == 1
    keys.press("n")
    expect(page.locator("[data-page=previous]")).not_to_have_attribute("aria-disabled", "true")
    keys.press("p")
    expect(page.locator("[data-page=previous]")).to_have_attribute("aria-disabled", "true")
    keys.press("j")
    keys.press("Enter")
    page.wait_for_url("**/change/**")
    with page.expect_event("domcontentloaded"):
        page.get_by_role("link", name="Close").click()
    # From the row of the log that was open.
    keys.press("j")
    assert focused_row(page) == 1

    keys.press("/")
    expect(page.locator("[name=q]")).to_be_focused()
    keys.type("jk?np/")
    expect(page.locator("[name=q]")).to_have_value("jk?np/")

    page.goto(f"{LISTING}?range=today")
    keys.press("t")
    keys.type("-90d")
    expect(page.get_by_label("Time range")).to_have_value("-90d")
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    keys.press("s")  # No row has the focus.
    keys.press("f")
    expect(page.get_by_label("Account:", exact=True)).to_be_focused()
    page.goto(LISTING)
    keys.press("j")
    with page.expect_event("domcontentloaded"):
        keys.press("s")
    assert page.url.endswith("?type=login&sub_type=password")


def test_shortcuts_have_a_help_and_can_be_switched_off(page: Page) -> None:
    store(make_item(n) for n in range(3))
    page.goto(LISTING)
    help_ = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(help_).to_be_hidden()
    page.keyboard.press("?")
    expect(help_).to_be_visible()
    page.keyboard.press("j")
    assert focused_row(page) == -1
    page.get_by_label("Use these shortcuts").uncheck()
    page.keyboard.press("Escape")
    expect(help_).to_be_hidden()
    page.reload()
    page.keyboard.press("j")
    page.keyboard.press("?")
    assert focused_row(page) == -1
    expect(help_).to_be_hidden()

    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Use these shortcuts").check()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("j")
    assert focused_row(page) == 0
