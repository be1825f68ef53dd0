"""Fixtures of the tests with a real browser: the browser, the site, and a page of a signed-in viewer."""

import os
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test import Client
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser import find, launch


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start a browser. Skip the tests if there is none, except on CI.

    It ends with the tests of a file: Playwright runs an event loop, which other tests must not have.
    """
    expect.set_options(timeout=30_000)  # A limit for a page that hangs, not a claim about speed.
    with sync_playwright() as playwright:
        if find(playwright) is None and not os.environ.get("CI"):
            pytest.skip("no browser: install chromium, or run `playwright install chromium`")
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """Serve the site on a free port. Yield its URL.

    pytest-django's `live_server` needs an SQL database when it stops.
    """
    thread = LiveServerThread("127.0.0.1", StaticFilesHandler)
    thread.daemon = True
    thread.start()
    assert thread.is_ready.wait(60)
    assert not thread.error
    yield f"http://127.0.0.1:{thread.port}"
    thread.terminate()


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
