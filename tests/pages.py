"""The pages of the admin as text: fetch one, and read its rows, links and sentence."""

import html
import re
from html.parser import HTMLParser
from urllib.parse import urlencode

from django.test import Client

LISTING = "/admin/logs/log/"
# The headers of a request by a script of the pages.
SCRIPT = {"X-Requested-With": "XMLHttpRequest"}


def fetch(client: Client, query: str = "", status: int = 200) -> str:
    """Return the HTML of the listing, or of an address below it."""
    response = client.get(LISTING + query)
    assert response.status_code == status
    page = response.content.decode()
    assert status != 200 or "Please correct" not in page, "an error beside the rows"
    return page


def row_ids(page: str) -> list[str]:
    """Return the ids of the logs in the table, from top to bottom."""
    return re.findall(r'<tr id="log-([0-9a-f]{32})"', page)


def rows(page: str) -> list[str]:
    """Return the texts of the rows in the table, without their days."""
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    texts = [re.sub("<t[dh][ >]", r" \g<0>", row) for row in re.split("<tr ", body) if row.startswith("id=")]
    return [" ".join(html.unescape(re.sub("<[^>]+>", "", f"<{text}")).split()) for text in texts]


def link(page: str, text: str) -> str:
    """Return the address of the link with this text. Raise AssertionError if there is no such link."""
    match = re.search(rf'<a [^>]*href="([^"]*)"[^>]*>(?:<bdi>)?{re.escape(text)}(?:</bdi>)?</a>', page)
    assert match, f"no link {text!r}"
    return html.unescape(match[1])


class FilterParts(HTMLParser):
    """The fields of the filter's form, and its buttons by their texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self.buttons: dict[str, tuple[str, str]] = {}
        self._is_inside = False
        self._button: tuple[str, str] | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        if tag == "form":
            self._is_inside = values.get("id") == "logs-filter"
        if not (self._is_inside or values.get("form") == "logs-filter"):
            return
        if tag == "input" and (values.get("type") != "checkbox" or "checked" in values):
            self.fields.append((values["name"], values.get("value", "")))
        if tag == "button" and "name" in values:
            self._button = (values["name"], values["value"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
        if tag == "button":
            self._button = None

    def handle_data(self, text: str) -> None:
        if self._button:
            self.buttons[text] = self._button


def submission(page: str, button: str = "", **typed: str) -> str:
    """Return the query string that a button of the filter's form sends, without scripts.

    `typed` are values by the names of their fields.
    """
    parts = FilterParts(page)
    values = [(name, typed.pop(name, value)) for name, value in parts.fields]
    return "?" + urlencode([*values, *typed.items(), *([parts.buttons[button]] if button else [])])


def press(client: Client, page: str, button: str, **typed: str) -> str:
    """Return the page to which a button of the filter's form leads. The client keeps its cookies."""
    response = client.get(LISTING + submission(page, button, **typed))
    assert response.status_code == 302
    return fetch(client, response.headers["Location"].removeprefix(LISTING))


def has_link(page: str, text: str) -> bool:
    """Return whether the page has a link with this text."""
    return re.search(rf"<a [^>]*>{re.escape(text)}</a>", page) is not None


def sentence(page: str) -> str:
    """Return the heading, which describes the filter."""
    match = re.search(r'<h1 class="logs-sentence">(.*?)</h1>', page)
    assert match
    return html.unescape(re.sub(r"<[^>]+>", "", match[1]))
