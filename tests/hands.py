"""Mouse and keyboard in tests with a browser: they count clicks and keystrokes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Locator, Page

from tests.pages import LISTING

MAX_CLICKS, MAX_KEYSTROKES = 3, 20


@dataclass
class Hands:
    """Mouse and keyboard of a page. Each click and each key counts, also those of a combination."""

    page: Page
    clicks: int = 0
    keystrokes: int = 0

    def click(self, target: Locator) -> None:
        """Click on an element."""
        self.clicks += 1
        target.click()

    def open(self, target: Locator) -> None:
        """Click on an element that opens another page."""
        with self.page.expect_event("domcontentloaded"):
            self.click(target)

    def type(self, text: str) -> None:
        """Type a text."""
        self.keystrokes += len(text)
        self.page.keyboard.type(text)

    def press(self, *keys: str) -> None:
        """Press keys, such as `Tab` or `Control+v`."""
        for key in keys:
            self.keystrokes += len(key.split("+"))
            self.page.keyboard.press(key)

    def follow(self, key: str) -> None:
        """Press a key that opens another page."""
        with self.page.expect_event("domcontentloaded"):
            self.press(key)


@contextmanager
def first_page(
    page: Page,
    *,
    clicks: int,
    keystrokes: int,
    max_clicks: int = MAX_CLICKS,
    max_keystrokes: int = MAX_KEYSTROKES,
) -> Iterator[Hands]:
    """Open the first page of the listing. At the end, check the numbers that docs/pages.md has."""
    assert clicks <= max_clicks
    assert keystrokes <= max_keystrokes
    page.goto(LISTING, wait_until="domcontentloaded")
    hands = Hands(page)
    yield hands
    assert (hands.clicks, hands.keystrokes) == (clicks, keystrokes)
