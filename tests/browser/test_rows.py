"""The rows of the listing in a real browser: open rows, values, long values, phone."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import width
from tests.items import make_item, store
from tests.pages import LISTING

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("logs_table")]

CHANGES = {"payload": json.dumps({"changes": {"status": ["open", "paid"]}}), "payload_type": "json"}


def test_rows_open_in_place_by_mouse_and_keyboard(page: Page) -> None:
    client: dict[str, Any] = {"submitter_country": "Germany", "submitter_city": "Berlin"}
    store(make_item(n, type="update", **CHANGES, **client) for n in range(30))
    page.goto(f"{LISTING}?limit=25")
    buttons = page.locator("#result_list [name=open]")
    expect(page.locator("[aria-expanded=false]")).to_have_count(25)
    buttons.nth(0).click()
    expect(page.locator(".logs-pane del")).to_have_text("open")
    buttons.nth(1).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".logs-pane")).to_have_count(2)
    expect(page.locator("[aria-expanded=true]")).to_have_count(2)
    page.locator(".logs-pane input:checked").nth(1).focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".logs-tree").nth(1)).to_be_visible()
    expect(page.locator(".logs-pane del").nth(1)).to_be_hidden()
    expect(page.get_by_role("button", name="Copy link").first).to_be_visible()
    buttons.nth(0).click()
    expect(page.locator(".logs-pane").first).to_be_hidden()
    assert page.url.endswith("?limit=25")

    # The values of a row, by the keyboard: its links, one button behind them, and its menu.
    buttons.nth(4).focus()
    stops = page.locator("#result_list tr[id]").nth(4).locator("a").count() + 1
    for _ in range(stops):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "logs-more-button"
    page.keyboard.press("Enter")
    menu = page.locator("#logs-values")
    texts = menu.locator("b").all_inner_texts()
    assert len(texts) > 4
    assert {"Berlin", "Germany", "password"} <= set(texts)
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    page.locator("#result_list td.c").nth(3).hover()
    page.locator(".logs-more-button").click()
    expect(menu.locator("b")).to_have_text(["Berlin", "Germany"])
    menu.get_by_role("link", name="Not this").click()
    assert page.url.endswith("?limit=25&-submitter_country=Germany")


def test_row_of_a_link_is_marked_and_in_sight(page: Page) -> None:
    store(make_item(n) for n in range(120))
    row = page.locator(f"#log-{make_item(20).id}")
    page.goto(f"{LISTING}?limit=200#log-{make_item(20).id}")
    expect(row.locator("th")).to_be_in_viewport()
    color = "element => getComputedStyle(element).backgroundColor"
    assert row.locator("th").evaluate(color) != page.locator("tr[id] th").first.evaluate(color)
    page.goto(f"{LISTING}?limit=200&around={make_item(20).id}")
    expect(row.locator("th")).to_be_in_viewport()
    expect(row).to_have_attribute("aria-current", "true")
    # The header stays in sight.
    expect(page.locator("#result_list thead th").first).to_be_in_viewport()


def test_menu_of_columns_stays_open_while_they_change(page: Page) -> None:
    store(make_item(n) for n in range(3))
    page.goto(LISTING)
    heading = page.get_by_role("columnheader", name="Client")
    expect(heading).to_be_visible()
    page.get_by_text("Columns", exact=True).click()
    page.locator(".logs-columns").get_by_role("button", name="Client", exact=True).click()
    expect(heading).to_have_count(0)
    page.locator(".logs-columns").get_by_role("button", name="Client", exact=True).click()
    expect(heading).to_be_visible()


def test_hostile_values_keep_the_layout(page: Page) -> None:
    attacks = [
        "x" * 500,
        "\u202e\u05d0\u05d1 " * 60,
        "👩\u200d👧 " * 40,
        "<script>hacked=1</script>" * 15,
    ]
    names = ("account_id", "type", "sub_type", "user_id", "user_name", "summary", "submitter_city", "url")
    hostile: list[dict[str, Any]] = [dict.fromkeys(names, attack) for attack in attacks]
    store(make_item(n, **values, payload=values["url"]) for n, values in enumerate(hostile * 3))
    for pixels in (1440, 1024, 768, 390):
        page.set_viewport_size({"width": pixels, "height": 900})
        page.goto(f"{LISTING}?limit=25")
        page.locator("[name=open]").first.click()
        expect(page.locator(".logs-pane")).to_be_visible()
        assert width(page) == pixels
        assert page.evaluate("document.documentElement.scrollHeight") < 5_000
        heights = page.locator("#result_list tr[id]").evaluate_all(
            "rows => rows.map(row => row.offsetHeight)"
        )
        assert max(heights) <= 100
        assert page.evaluate("window.hacked") is None
