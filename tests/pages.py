"""The pages of the admin as text: fetch one, and read its rows, links and sentence."""

import html
import re

from django.test import Client

LISTING = "/admin/logs/log/"


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


def has_link(page: str, text: str) -> bool:
    """Return whether the page has a link with this text."""
    return re.search(rf"<a [^>]*>{re.escape(text)}</a>", page) is not None


def sentence(page: str) -> str:
    """Return the sentence that describes the filter."""
    match = re.search(r'<p class="logs-sentence">(.*?)</p>', page)
    assert match
    return html.unescape(re.sub(r"<[^>]+>", "", match[1]))
