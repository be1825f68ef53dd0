"""`make screenshots`: the pictures of the docs, taken from a site with sample logs.

Names of users need a font with Chinese characters, such as Debian's fonts-wqy-microhei.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.chromium import launch

WIDTH = 1360
DOCS = Path(__file__).resolve().parent


def take_pictures(page: Page, address: str, username: str, password: str) -> None:
    """Sign in, then save the pictures of an account's listing and of a log."""
    page.goto(address)
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Account:", exact=True).fill("1")
    page.get_by_label("Time range").fill("-7d")
    page.get_by_role("button", name="Apply", exact=True).click()
    page.locator(".logs-chart").wait_for()
    row = page.locator("#result_list tr", has=page.get_by_text("update", exact=True)).first
    row.get_by_role("button").first.click()
    page.locator(".logs-pane").wait_for()
    page.screenshot(path=DOCS / "listing.png")
    page.set_viewport_size({"width": WIDTH, "height": 960})
    page.goto(f"{address}admin/logs/log/?type=update")
    page.locator("#result_list th a").nth(2).click()
    page.locator(".logs-timeline").first.wait_for()
    page.screenshot(path=DOCS / "detail.png")


def main() -> None:
    """Start the site in a temporary directory, take the pictures and stop it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "manage.py", "runlocal", "--folder", folder, "--port", "8020"]
        run = subprocess.Popen(command, cwd=DOCS.parent, stdout=subprocess.PIPE, text=True)
        try:
            output = ""
            for line in run.stdout or []:
                output += line
                if line.startswith("Ready:"):
                    break
            login = re.search(r"(http://\S+)\n +user name +(\S+)\n +password +(\S+)", output)
            if not login:
                raise SystemExit(f"The site did not start:\n{output}")
            with sync_playwright() as playwright:
                browser = launch(playwright)
                take_pictures(browser.new_page(viewport={"width": WIDTH, "height": 1240}), *login.groups())
                browser.close()
        finally:
            run.terminate()
            run.wait()


if __name__ == "__main__":
    argparse.ArgumentParser(
        prog="make screenshots", description="Update the screenshots docs/*.png."
    ).parse_args()
    main()
