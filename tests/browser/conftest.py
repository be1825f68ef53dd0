"""The browser of all tests of this folder, and a page of a signed-in viewer."""

import os
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.chromium import find, launch


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Start a browser. Skip the tests if there is none, except on CI.

    It ends with the tests of this folder: Playwright runs an event loop, which other tests must not have.
    """
    expect.set_options(timeout=30_000)  # A limit for a page that hangs, not a claim about speed.
    with sync_playwright() as playwright:
        if find(playwright) is None and not os.environ.get("CI"):
            pytest.skip("no browser: install chromium, or run `playwright install chromium`")
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, site: str, viewer_client: Client) -> Iterator[Page]:
    """Yield a page of a signed-in viewer. An error in the browser fails the test."""
    errors: list[str] = []
    context = browser.new_context(base_url=site)
    session = viewer_client.cookies[settings.SESSION_COOKIE_NAME]
    context.add_cookies([{"name": session.key, "value": session.value, "url": site}])
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert errors == []
