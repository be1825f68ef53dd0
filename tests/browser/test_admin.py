"""The admin in a real browser: sign in, filter, page to the end and back, open a log."""

import os
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from logs.storage.choices import ChoicesWriter
from tests.browser.chromium import width
from tests.items import make_item, store

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("logs_table")]


def times(page: Page) -> list[str]:
    page.wait_for_load_state()  # A click returns before the page has loaded.
    return [str(time.get_attribute("datetime")) for time in page.locator("#result_list tr[id] time").all()]


def test_admin_filters_pages_and_opens_a_log(page: Page) -> None:
    store(
        make_item(n, account_id=("7", "8")[n % 2], payload=f'{{"number":{n}}}', payload_type="json")
        for n in range(130)
    )
    page.goto("/")
    expect(page.get_by_role("heading", name="Logs")).to_be_visible()

    page.get_by_label("Account:", exact=True).fill("7")
    page.keyboard.press("Enter")
    expect(page.locator(".logs-sentence")).to_have_text("Logs of account 7")
    assert page.url.endswith("/admin/logs/log/?account_id=7"), "the URL omits empty fields"

    pages = [times(page)]
    while page.get_by_role("link", name="Next ›").count():
        page.get_by_role("link", name="Next ›").click()
        pages.append(times(page))
    assert [len(rows) for rows in pages] == [50, 15]
    walked = [time for rows in pages for time in rows]
    assert walked == sorted(set(walked), reverse=True)
    page.get_by_role("link", name="‹ Previous").click()
    assert times(page) == pages[0]

    page.locator("#result_list tr[id]").nth(2).locator("th a").click()
    expect(page.locator(".logs-tree")).to_have_text('{ 1 key"number": 124}')
    expect(page.get_by_text("Received (UTC)")).to_be_hidden()
    page.get_by_text("Storage details").click()
    expect(page.get_by_text("Received (UTC)")).to_be_visible()
    page.get_by_role("link", name="Close").click()
    assert times(page) == pages[0]
    expect(page.get_by_label("Account:", exact=True)).to_have_value("7")


def test_long_and_rtl_values_do_not_widen_the_page(page: Page) -> None:
    store([make_item(account_id="x" * 500, type="\u202ey" * 100, user_id="z" * 500)])
    page.goto("/")
    page.locator("#result_list td.a a").click(position={"x": 5, "y": 5})
    expect(page.locator(".logs-sentence")).to_contain_text("Logs of account")
    assert width(page) <= 1280
    page.locator("#result_list th a").last.click()
    expect(page.locator("#content h1")).to_contain_text("password · /login")
    assert width(page) <= 1280


def test_time_heading_reverses_the_order(page: Page) -> None:
    store(make_item(number) for number in range(5))
    page.goto("/")
    newest_first = times(page)
    page.get_by_role("button", name="Time (UTC)").click()
    assert times(page) == newest_first[::-1]


def test_search_for_rare_logs_takes_one_click(page: Page, settings: Any) -> None:
    settings.LOGS_MAX_EXAMINED = 800
    store(make_item(n, sub_type="rare" if n % 200 == 100 else "password") for n in range(4_000))
    page.goto("/")
    page.get_by_label("Subtype:", exact=True).fill("rare")
    page.get_by_role("button", name="Apply", exact=True).click()
    expect(page.locator("#result_list tr[id]")).to_have_count(20)
    expect(page.locator("#logs-onward a")).to_have_count(0)
    assert times(page) == sorted(times(page), reverse=True)


def test_type_filter_suggests_existing_types(page: Page) -> None:
    writer = ChoicesWriter()
    for type_ in ("login", "log,out", "view"):
        writer.record(type_, "password", "Côte d’Ivoire, Abidjan")
    writer.write()
    page.goto("/")
    assert page.locator("datalist").count() == 0
    page.get_by_label("Type:", exact=True).focus()
    options = page.locator("#id_type_choices option")
    expect(options).to_have_count(3)
    page.get_by_label("Type:", exact=True).fill("login, v")
    expect(options.nth(2)).to_have_attribute("value", "login, view")
    expect(options.nth(0)).to_have_attribute("value", "login, log\\,out")
    page.locator("summary", has_text="More filters").click()
    for name in ("submitter_country", "-submitter_country"):
        page.locator(f"[name='{name}']").fill("x, ")
        option = page.locator(f"[id='id_{name}_choices'] option")
        expect(option).to_have_attribute("value", "x, Côte d’Ivoire\\, Abidjan")


def test_detail_links_to_surrounding_logs(page: Page) -> None:
    store(make_item(n, account_id=("7", "8")[n % 2]) for n in range(120))
    page.goto("/")
    page.locator("#result_list tr[id]").nth(40).locator("th a").click()
    page.get_by_role("link", name="this account").click()
    page.get_by_role("link", name="Full list").click()
    expect(page.locator("#result_list tr.selected")).to_have_count(1)
    expect(page.locator(".logs-sentence")).to_contain_text("account 8")


def test_hostile_log_runs_no_script(page: Page) -> None:
    attack = "<script>window.hacked = true</script><img src=x onerror='window.hacked = true'>"
    store(
        [
            make_item(
                account_id=attack,
                user_id=attack,
                type=attack,
                sub_type=attack,
                url=f"javascript:{attack}",
                payload=attack,
            )
        ]
    )
    page.goto("/")
    page.locator("#result_list th a").last.click()
    expect(page.locator("#payload pre")).to_have_text(attack)
    assert page.evaluate("window.hacked") is None
    assert page.locator("a[href^=javascript]").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_listing_fits_its_width_and_color_scheme(page: Page, scheme: str, width: int) -> None:
    store(
        make_item(n, url="/a/rather/long/path/" * 4, submitter_city="Sofia", submitter_country="Bulgaria")
        for n in range(30)
    )
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # Both values are allowed.
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(page.get_by_role("button", name="Apply", exact=True)).to_be_visible()
    if shots := os.environ.get("LOGSITE_SHOTS"):
        page.screenshot(path=f"{shots}/listing-{scheme}-{width}.png", full_page=True)
        page.locator("#result_list th a").last.click()
        page.screenshot(path=f"{shots}/detail-{scheme}-{width}.png", full_page=True)


def test_policy_blocks_nothing_that_pages_need(page: Page) -> None:
    # The fixture opens the login page and fails at console messages of violations.
    store([make_item(1, payload='{"number":1}', payload_type="json")])
    page.goto("/")
    expect(page.locator("#result_list tr[id]")).to_have_count(1)
    page.locator("#result_list th a").last.click()
    expect(page.locator(".logs-tree")).to_be_visible()
    page.goto("/admin/password_change/")
    expect(page.get_by_role("heading", name="Password change")).to_be_visible()
    page.goto("/api/docs")
    page.locator(".opblock-summary-control").first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table .response .response-col_status")).to_contain_text("200")


def test_policy_blocks_an_inline_script(browser: Browser, site: str) -> None:
    context = browser.new_context(base_url=site)
    page = context.new_page()
    page.goto("/admin/login/")
    page.evaluate(
        "() => { const script = document.createElement('script');"
        " script.textContent = 'window.hacked = true'; document.body.append(script); }"
    )
    assert page.evaluate("window.hacked") is None
    context.close()
