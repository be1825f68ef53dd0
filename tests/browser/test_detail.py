"""The page of a log in a real browser: its size, its scripts, its print, and the ways to other logs."""

import json
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, Route, expect

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
        expect(page.locator(".logs-timeline")).to_have_count(2)
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
    expect(page.locator(".logs-timeline")).to_be_visible()
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


def test_timelines_arrive_after_the_log(page: Page) -> None:
    store(make_item(n, object_type="invoice", object_id="4711") for n in range(5))
    requests: list[Route] = []
    page.route("**/timelines/*", lambda route: requests.append(route))
    page.goto(f"/admin/logs/log/{make_item(2).id}/change/?axis=type")
    aside = page.locator(".logs-aside")
    expect(page.locator("#fields")).to_be_visible()
    expect(aside).to_have_class("logs-aside logs-loading")
    for name in ("Logs of this object", "Full history", "Logs around this log", "Full list"):
        expect(aside.get_by_role("link", name=name)).to_be_visible()
    axis, heading = aside.get_by_role("link", name="everything"), page.locator("#around-heading")
    axis.focus()
    before = heading.bounding_box()
    [request] = requests
    request.continue_()
    expect(aside).to_have_class("logs-aside")
    for name in ("history", "around"):
        expect(page.locator(f"#{name} .logs-timeline li")).to_have_count(5)
    after = heading.bounding_box()
    assert before
    assert after
    assert abs(before["y"] - after["y"]) <= 30
    # The focus stays where it was. The entries are links for the keyboard.
    expect(axis).to_be_focused()
    page.keyboard.press("Tab")
    entry = page.locator("#around-entries a").first
    expect(entry).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{make_item(4).id}/change/?axis=type")


def test_focus_follows_the_link_to_the_logs_around(page: Page) -> None:
    store(make_item(n) for n in range(3))
    requests: list[Route] = []
    page.route("**/timelines/*", lambda route: requests.append(route))
    page.goto(DETAIL)
    aside = page.locator(".logs-aside")
    expect(aside).to_have_attribute("aria-busy", "true")
    page.get_by_role("link", name="Logs around this log").focus()
    [request] = requests
    request.continue_()
    expect(page.locator("#around-entries a").first).to_be_focused()
    expect(aside).not_to_have_attribute("aria-busy", "true")


@pytest.mark.parametrize("status", [0, 200, 503])
def test_failed_timelines_offer_to_try_again(page: Page, status: int) -> None:
    store(make_item(n, object_type="invoice", object_id="4711") for n in range(3))
    # A page of its own, because a failed request is an error in its console.
    other = page.context.new_page()
    other.route("**/timelines/*", lambda route: route.fulfill(status=status) if status else route.abort())
    other.goto(DETAIL)
    links = other.get_by_role("link", name="These logs cannot be read. Try again.")
    expect(links).to_have_count(2)
    expect(other.locator(".logs-aside")).to_have_class("logs-aside")
    expect(other.locator("#fields")).to_be_visible()
    other.unroute_all()
    links.last.click()
    other.wait_for_url(f"**/{make_item(1).id}/timelines/#around")
    expect(other.locator("#around .logs-timeline li")).to_have_count(3)


def test_timelines_work_without_a_script(page: Page, browser: Browser, site: str) -> None:
    store(make_item(n, type=("view", "login")[n % 2]) for n in range(3))
    state = page.context.storage_state()
    context = browser.new_context(base_url=site, storage_state=state, java_script_enabled=False)
    plain = context.new_page()
    plain.goto(f"{DETAIL}?tz=Europe/Berlin")
    plain.get_by_role("link", name="Logs around this log").click()
    entries = plain.locator("#around .logs-timeline li")
    expect(entries).to_have_count(3)
    expect(entries.nth(1)).to_contain_text("01:00:01 login password by 12 this log")
    plain.get_by_role("link", name="this type").click()
    expect(entries).to_have_count(1)
    plain.get_by_role("link", name="Show the log").click()
    plain.wait_for_url(f"**/{make_item(1).id}/change/?axis=type&tz=Europe%2FBerlin")
    context.close()
