"""The pages in the admin of django-unfold. tests/test_host_project.py runs this suite with its settings."""

import os
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.test import Client
from playwright.sync_api import Route, sync_playwright

from tests.browser.chromium import find, launch
from tests.items import make_item, store

PAGES = [
    "/admin/logs/log/",
    f"/admin/logs/log/{make_item(1).id}/change/",
    "/admin/logs/log/?from=x",
    f"/admin/logs/log/{make_item(1).id}/timelines/",
    # The scripts of the listing request these.
    "/admin/logs/log/numbers/",
    "/admin/logs/log/freshness/",
]
# The fields of the filter without a visible border, of their own or around several of them.
BORDERLESS = """
() => [...document.querySelectorAll("#logs-filter input:not([type=hidden], [type=submit], [type=checkbox])")]
    .filter((field) => ![field, field.parentElement].some(
        (element) => getComputedStyle(element).borderTopWidth === "1px"))
    .map((field) => field.name)
"""


@pytest.fixture
def texts(db: None, logs_table: None) -> dict[str, str]:
    """Return the pages by their addresses."""
    store(make_item(n) for n in range(3))
    client = Client()
    client.force_login(User.objects.create_superuser("someone", password="secret"))  # type: ignore[arg-type]  # mypy uses the site's settings
    return {page: client.get(page).content.decode() for page in PAGES}


def test_pages_appear_in_the_frame_of_unfold(texts: dict[str, str]) -> None:
    for text in texts.values():
        assert "unfold/css/styles.css" in text
        assert "content-main" in text


def test_fields_have_borders(texts: dict[str, str]) -> None:
    def respond(route: Route) -> None:
        address = urlsplit(route.request.url)
        if not address.path.startswith("/static/"):
            page = f"{address.path}?{address.query}".removesuffix("?")
            route.fulfill(body=texts[page], content_type="text/html")
        elif path := finders.find(address.path.removeprefix("/static/")):
            route.fulfill(path=str(path))
        else:
            route.fulfill(status=404, body="")

    with sync_playwright() as playwright:
        if find(playwright) is None and not os.environ.get("CI"):
            pytest.skip("no browser: install chromium, or run `playwright install chromium`")
        browser = launch(playwright)
        page = browser.new_page(base_url="http://host.example")
        page.route("**/*", respond)
        for address in (PAGES[0], PAGES[2]):
            page.goto(address)
            assert page.locator("#logs-filter [name=q]").is_visible()
            assert page.evaluate(BORDERLESS) == []
        browser.close()
