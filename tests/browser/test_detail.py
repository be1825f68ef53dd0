"""The page of a log in a real browser: its size, its scripts, its print, and the way through a list."""

import json
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.items import START, make_item, store

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("logs_table")]

# What a sender may put into each value: markup, a long word, a change of direction, emoji.
HOSTILE = "<b onclick=x>\u202e" + "W" * 300 + "שלום" * 20 + "😀" * 20
DETAIL = f"/admin/logs/log/{make_item(1).id}/change/"


def size(page: Page) -> tuple[int, int]:
    """Return width and height of the page's content."""
    page.wait_for_load_state("load")
    width, height = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    return width, height


@pytest.mark.parametrize("characters", [100, 164, 500])
def test_long_values_keep_the_layout(page: Page, characters: int) -> None:
    value = HOSTILE[:characters].ljust(characters, "M") if characters < 500 else "M" * 500
    names = ("account_id", "type", "user_id", "sub_type", "url", "user_name", "account_name", "object_name")
    changes = {HOSTILE: [HOSTILE, HOSTILE + "x"]}
    payload = json.dumps({HOSTILE: [HOSTILE, {HOSTILE: 1}], "changes": changes}, ensure_ascii=False)
    store(
        [
            make_item(
                1,
                **dict.fromkeys(names, value),
                payload=payload,
                payload_type="json",
                object_type="invoice",
                object_id="4711",
            )
        ]
    )
    for width in (1440, 1024, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(DETAIL)
        expect(page.locator("h1")).to_be_visible()
        assert page.locator("h1").bounding_box()["y"] < 300, "the heading is in the first screen"  # type: ignore[index]
        widest, height = size(page)
        assert widest <= width
        assert height < {1440: 3_500, 1024: 4_500, 390: 9_000}[width]
    assert page.locator("#content b[onclick]").count() == 0
    transformed = page.evaluate(
        "[...document.querySelectorAll('#content bdi')]"
        ".filter((each) => getComputedStyle(each).textTransform !== 'none').length"
    )
    assert transformed == 0


def test_buttons_copy_and_print_unfolds(page: Page) -> None:
    text = '{"deep":{"er":{"est":{"n":1.50}}}}'
    store([make_item(1, payload=text, payload_type="json")])
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(DETAIL)
    for name, expected in {
        "Copy link": page.url,
        "Copy ID": make_item(1).id,
        "Copy JSON": text,
    }.items():
        button = page.get_by_role("button", name=name)
        button.click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        expect(page.get_by_role("status")).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == expected
        page.reload()
    number = page.get_by_text("1.5", exact=True)
    expect(number).to_be_hidden()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    expect(number).to_be_visible()
    for selector in (
        ".logs-tools",
        ".logs-forms",
        ".logs-aside",
        ".breadcrumbs",
        "#header",
        ".logs-line button",
    ):
        assert not page.locator(selector).first.is_visible()
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(number).to_be_hidden()


def test_who_changed_an_invoice_takes_three_clicks(page: Page) -> None:
    invoice = {"object_type": "invoice", "object_id": "4711", "url": "/invoices/4711"}
    minute = timedelta(minutes=10)
    change = json.dumps({"changes": {"due": ["2026-12-01", "2026-12-15"]}})
    update = {"type": "update", "payload": change, "payload_type": "json", **invoice}
    store(
        [
            make_item(1, created_at=START, type="view", **invoice),
            make_item(2, created_at=START + minute, **update),
            make_item(3, created_at=START + 2 * minute, type="view", user_id="13", **invoice),
            *(make_item(n, type="login") for n in range(10, 20)),
        ]
    )
    page.goto("/admin/logs/log/?type=view")
    # Numbers that need less place than is kept for them move the rows.
    expect(page.locator("#logs-numbers.logs-loading")).to_have_count(0)
    page.locator("#result_list th a[href*='/change/']").first.click()
    expect(page).to_have_title("view password · invoice:4711 | Logsite")
    page.locator("#history").get_by_role("link", name="update").click()
    expect(page.locator("#changes tbody tr")).to_have_count(1)
    expect(page.locator("#changes ins")).to_have_text("15")
    expect(page.locator("#changes del")).to_have_text("01")
    expect(page.locator(".logs-gap").first).to_have_text("10 minutes without logs")
    page.get_by_role("link", name="Next in list ›").click()
    expect(page).to_have_title("view password · invoice:4711 | Logsite")
    assert f"/{make_item(1).id}/change/" in page.url
    page.get_by_role("link", name="Close").click()
    page.wait_for_url(f"**/admin/logs/log/?type=view#log-{make_item(1).id}")
