"""Which browser the tests use: the system's Chromium, else Playwright's own.

`python -m tests.browser` exits with status 1 where there is none.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

NAMES = ["chromium", "chromium-browser", "google-chrome"]
# As root in a container Chromium has no sandbox; the other flags keep it from calling home.
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def find(playwright: Playwright) -> str | None:
    """Return the path of a browser, or None."""
    own = playwright.chromium.executable_path
    return next(filter(None, map(shutil.which, NAMES)), own if Path(own).exists() else None)


def launch(playwright: Playwright) -> Browser:
    """Start the browser without a window."""
    return playwright.chromium.launch(executable_path=find(playwright), args=FLAGS)


if __name__ == "__main__":
    with sync_playwright() as playwright:
        sys.exit(find(playwright) is None)
