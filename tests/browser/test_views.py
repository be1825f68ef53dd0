"""Saved views in a real browser, by mouse and by keyboard."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import tab_to
from tests.items import make_item, store
from tests.pages import LISTING

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("logs_table")]


def test_views_are_saved_changed_and_deleted(page: Page) -> None:
    store(make_item(n, type="login" if n % 2 else "view", account_id=str(n)) for n in range(6))
    rows = page.locator("#result_list tr[id]")
    views = page.get_by_role("navigation", name="Saved views")
    page.goto(f"{LISTING}?type=login")

    # By mouse.
    views.get_by_role("link", name="Save view…").click()
    page.get_by_label("Name:").fill("Logins")
    page.get_by_label("Open this view first").check()
    page.get_by_role("button", name="Save view").click()
    expect(views.locator("[aria-current]")).to_have_text("Logins opens first")
    page.get_by_label("Account:", exact=True).fill("3")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(1)
    expect(views).to_contain_text("changed:")
    views.get_by_role("button", name="Save", exact=True).click()
    expect(views).not_to_contain_text("changed:")
    views.get_by_role("link", name="All logs").click()
    expect(rows).to_have_count(6)
    # An emptied form shows all logs, not the view that opens first.
    page.get_by_role("button", name="Apply", exact=True).click()
    expect(rows).to_have_count(6)
    page.goto(LISTING)
    expect(rows).to_have_count(1)

    # By keyboard.
    tab_to(page, ".logs-views-actions a[href*='views/add/']")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/views/add/"))
    tab_to(page, "#name")
    page.keyboard.type("Copy")
    page.keyboard.press("Enter")
    expect(views.locator("[aria-current]")).to_have_text("Copy")
    tab_to(page, ".logs-views-actions a[href$='/views/']")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/views/$"))
    tab_to(page, "a[aria-label='Delete Copy']")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/delete/$"))
    tab_to(page, "[type=submit].default")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The view “Copy” was deleted.")).to_be_visible()
    expect(page.get_by_role("link", name="Delete Logins")).to_be_visible()
