"""A value with invisible characters never looks like another value on a page."""

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, unquote

import pytest
from django.test import Client

from ingest import handler
from logs.characters import visible
from logs.filters import FILTERS
from logs.models import LogItem
from logs.storage import documents
from logs.storage.choices import ChoicesWriter
from tests.api import LOGS, fetch, problem, program
from tests.factories import NO_FAILURES, make_body, make_event
from tests.items import make_item, store
from tests.pages import LISTING, link, rows
from tests.pages import fetch as fetch_page

pytestmark = pytest.mark.usefixtures("logs_table")

# A right-to-left override, a zero-width space, an isolate, a Hangul filler, DEL, a no-break space and a tag.
ATTACKS = ("\u202e", "\u200b", "\u2066", "\u3164", "\x7f", "\u00a0", "\U000e0041")
EXPORT = f"{LISTING}export/"


class Texts(HTMLParser):
    """The texts that a page shows: its text nodes and the attributes that a browser shows."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        shown = {"title", "alt", "aria-label", "placeholder"}
        self.texts += [value for name, value in attributes if value and name in shown]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def invisible_texts(page: str) -> Iterator[str]:
    """Yield the texts of a page that have an invisible character or a no-break space."""
    for text in Texts(page).texts:
        if visible(text, multiline=True) != text or "\u00a0" in text:
            yield text


def spoofed_log(attack: str, **changes: str) -> LogItem:
    """Return a log with the characters in every field but the payload."""
    value = f"7{attack}"
    names = ["account_id", "user_id", "type", "sub_type", "url", "sender", "status"]
    names += [f"submitter_{name}" for name in ("id", "country", "city", "platform", "browser", "agent")]
    return make_item(1, **{**dict.fromkeys(names, value), **changes})


@pytest.mark.parametrize("attack", ATTACKS, ids=ascii)
def test_listing_shows_invisible_characters(viewer_client: Client, attack: str) -> None:
    store([spoofed_log(attack, status="OK")])
    page = fetch_page(viewer_client)
    assert list(invisible_texts(page)) == []
    shown = visible(f"7{attack}")
    [row] = rows(page)
    assert row.count(shown) == 9  # four of the client
    assert unquote(link(page, shown)) == f"?account_id=7{attack}"


# Filters that accept no other text.
WITH_A_FORM = ("payload_size_min", "object", "submitter_ip", "trace_id")


@pytest.mark.parametrize("attack", ATTACKS, ids=ascii)
@pytest.mark.parametrize(
    "name", [each.parameter for each in FILTERS.values() if each.name not in WITH_A_FORM]
)
def test_filter_shows_invisible_characters(viewer_client: Client, name: str, attack: str) -> None:
    query = f"?{name}=7{quote(attack)}7"
    page = fetch_page(viewer_client, query)
    shown = visible(f"7{attack}7")
    assert list(invisible_texts(page)) == []
    assert f"Contains invisible characters: <code><bdi>{shown}</bdi></code>" in page
    assert shown in page[page.index("logs-sentence") : page.index("</h1>")]
    assert f'value="7{attack}7"' in page


@pytest.mark.parametrize("attack", ATTACKS, ids=ascii)
def test_detail_shows_invisible_characters(viewer_client: Client, attack: str) -> None:
    store([spoofed_log(attack)])
    page = fetch_page(viewer_client, f"{make_item(1).id}/change/")
    assert list(invisible_texts(page)) == []
    # 13 fields, the key of account and type twice, title, breadcrumb and heading three times each, six in the
    # line below.
    assert page.count(visible(f"7{attack}")) == 30
    assert unquote(link(page, visible(f"7{attack}"))) == f"{LISTING}?account_id=7{attack}"


@pytest.mark.parametrize("attack", ATTACKS, ids=ascii)
def test_timelines_show_invisible_characters(viewer_client: Client, attack: str) -> None:
    store([spoofed_log(attack)])
    page = fetch_page(viewer_client, f"{make_item(1).id}/timelines/")
    assert list(invisible_texts(page)) == []
    # Type, subtype and user.
    assert page.count(visible(f"7{attack}")) == 3


def test_long_field_is_truncated_after_escaping(viewer_client: Client) -> None:
    whole = "\x7f" * 90_000
    store([make_item(1, url="…", document=documents.pack({"texts": {"url": whole}}))])
    page = fetch_page(viewer_client, f"{make_item(1).id}/change/")
    assert "of 90000 characters" in page
    assert list(invisible_texts(page)) == []


@pytest.mark.parametrize("attack", ATTACKS, ids=ascii)
@pytest.mark.parametrize("address", [LISTING, EXPORT])
@pytest.mark.parametrize("query", ["from=x{}x", "order=x{}x", "x{}x=1", "at=x{}x"])
def test_error_shows_invisible_characters(
    viewer_client: Client, address: str, query: str, attack: str
) -> None:
    response = viewer_client.get(f"{address}?{query.format(quote(attack))}")
    assert response.status_code == 400
    page = response.content.decode()
    assert list(invisible_texts(page)) == []
    assert f"“{visible(f'x{attack}x')}”" in page


@pytest.mark.parametrize("attack", ATTACKS, ids=ascii)
def test_missing_log_shows_invisible_characters(viewer_client: Client, attack: str) -> None:
    response = viewer_client.get(f"{LISTING}7{quote(attack)}/change/")
    page = response.content.decode()
    assert visible(f"7{attack}") in page
    assert list(invisible_texts(page)) == []


@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if attack not in "\x7f\u00a0"], ids=ascii)
def test_suggestions_have_no_invisible_characters(
    viewer_client: Client, monkeypatch: pytest.MonkeyPatch, attack: str
) -> None:
    monkeypatch.setattr(handler, "choices_writer", ChoicesWriter())
    names = ("type", "sub_type", "submitter_country", "submitter_platform", "submitter_browser")
    bodies = [make_body(**dict.fromkeys(names, text)) for text in ("login", f"logi{attack}n")]
    assert handler.lambda_handler(make_event(*bodies), None) == NO_FAILURES
    assert viewer_client.get(f"{LISTING}choices/").json() == {name: ["login"] for name in names}
    page = fetch_page(viewer_client, "?type=logn&account_id=9")
    assert list(invisible_texts(page)) == []
    assert unquote(link(page, f"logi{visible(attack)}n")).endswith(f"type=logi{attack}n")


@pytest.mark.parametrize("attack", ATTACKS, ids=ascii)
def test_api_and_files_keep_the_data(viewer_client: Client, attack: str) -> None:
    store([spoofed_log(attack)])
    log = fetch(program(), f"{LOGS}/{make_item(1).id}")
    assert log["account_id"] == log["submitter_agent"] == f"7{attack}"
    file = viewer_client.get(f"{LISTING}{make_item(1).id}/json/").json()
    assert file["account_id"] == f"7{attack}"


@pytest.mark.parametrize("attack", ATTACKS, ids=ascii)
def test_api_messages_show_invisible_characters(attack: str) -> None:
    client: Any = program()
    for query in (f"x{quote(attack)}=1", f"from=x{quote(attack)}", f"order=x{quote(attack)}"):
        message = problem(client, f"{LOGS}?{query}", 400)["message"]
        assert visible(message) == message
    page = fetch(client, f"{LOGS}?user_id=7{quote(attack)}7")
    assert visible(f"7{attack}7") in page["sentence"]


def test_ndjson_keeps_the_data(viewer_client: Client) -> None:
    store([make_item(1, user_id="7\u202e")])
    response: Any = viewer_client.get(f"{EXPORT}?format=ndjson")
    assert json.loads(b"".join(response).splitlines()[0])["user_id"] == "7\u202e"
    response = viewer_client.get(f"{EXPORT}?format=csv")
    assert "7\u202e" in b"".join(response).decode()
