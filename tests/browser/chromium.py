"""The browser of the tests: the system's Chromium, otherwise Playwright's own.

`python -m tests.browser.chromium` exits with status 1 if neither is installed.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

# The first one is Chromium without its own windows, which takes a third less CPU time.
NAMES = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]
# Chromium cannot use its sandbox as root in a container. The other flags stop its network requests.
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def find(playwright: Playwright) -> str | None:
    """Return the path of a browser, or None."""
    bundled = playwright.chromium.executable_path
    return next(filter(None, map(shutil.which, NAMES)), bundled if Path(bundled).exists() else None)


def launch(playwright: Playwright) -> Browser:
    """Start the browser, headless."""
    return playwright.chromium.launch(executable_path=find(playwright), args=FLAGS)


def sign_in(page: Page, username: str, password: str) -> None:
    """Submit the login form that the page shows."""
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab does not reach {selector}")


def width(page: Page) -> int:
    """Return the width of the page's content, with its style sheets."""
    page.wait_for_load_state("load")
    pixels: int = page.evaluate("document.documentElement.scrollWidth")
    return pixels


if __name__ == "__main__":
    with sync_playwright() as playwright:
        sys.exit(find(playwright) is None)
