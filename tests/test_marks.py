"""Matches of a search are marked in the rows, and shown in their surroundings."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from logs.characters import visible
from logs.filters import LogFilter
from logs.folding import fold, normalize, units
from logs.pages.marks import AROUND, MAX_MARKS, Marks
from tests.items import make_item, store
from tests.pages import fetch

pytestmark = pytest.mark.usefixtures("logs_table")


def marked(log_filter: LogFilter, text: str, attribute: str = "summary") -> str:
    """Return a text with brackets around its marks."""
    shown = visible(text)
    for start, end in reversed(Marks(log_filter).spans(attribute, shown)):
        shown = f"{shown[:start]}[{shown[start:end]}]{shown[end:]}"
    return shown


@pytest.mark.parametrize(
    ("query", "text", "result"),
    [
        ("paid", "Paid, unpaid, PAID", "[Paid], un[paid], [PAID]"),
        ("straße", "HAUPTSTRASSE 1 Straße", "HAUPT[STRASSE] 1 [Straße]"),
        ("STRASSE", "die Straße", "die [Straße]"),
        ("zoé", "Zoe\u0301 zo\u00e9 zoe", "[Zoe\u0301] [zo\u00e9] zoe"),
        ("istanbul", "\u0130STANBUL", "[\u0130STANBUL]"),
        ("aa", "aaaaa", "[aaaa]a"),
        ("\u200b", "a\u200bb", "a[\\u200b]b"),
        ("\\u200b", "a\u200bb", "a[\\u200b]b"),
        ("ﬁn", "office FINAL ﬁnal", "office [FIN]AL [ﬁn]al"),
        ("한", "\u1112\u1161\u11ab국 한국", "[\u1112\u1161\u11ab]국 [한]국"),
        ("x", "x" * 50, "[" + "x" * MAX_MARKS + "]" + "x" * (50 - MAX_MARKS)),
        ("no", "yes", "yes"),
    ],
)
def test_marks_are_those_of_the_search(query: str, text: str, result: str) -> None:
    assert marked(LogFilter(q=query), text) == result


def test_marks_match_the_case_if_the_filter_does() -> None:
    assert marked(LogFilter(q="Paid", match_case=True), "paid Paid") == "paid [Paid]"
    assert marked(LogFilter(url="/A"), "/a/A", "url") == "/a[/A]"
    assert marked(LogFilter(user_name="Zoe\u0308"), "Zo\u00eb zo\u00eb", "user_name") == "[Zo\u00eb] zo\u00eb"
    assert marked(LogFilter(url="/A"), "/A", "summary") == "/A"


@pytest.mark.parametrize(
    "text", ["", "abc", "e\u0301\u0302a", "\u0301a", "\u1112\u1161\u11ab\u11ab한", "İi\u0307x", "👩\u200d👧"]
)
@pytest.mark.parametrize("form", [fold, normalize])
def test_units_fold_on_their_own(text: str, form: Callable[[str], str]) -> None:
    assert "".join(units(text)) == text
    assert "".join(map(form, units(text))) == form(text)


def excerpt(page: str) -> str:
    """Return the text below the first row, with brackets around its marks."""
    match = re.search(r"<tr class=excerpt><td colspan=\d>(.*?)</?t", page)
    assert match, "no excerpt"
    text = match[1].replace("<mark>", "[").replace("</mark>", "]")
    return html.unescape(re.sub("<[^>]+>", "", text))


@pytest.mark.parametrize(
    ("fields", "result"),
    [
        (
            {"payload": "see <b>Invoice</b> 4711 now", "payload_type": "text"},
            "Payload: see <b>[Invoice]</b> 4711 now",
        ),
        (
            {"payload": '{"a":1,"note":"INVOICE"}', "payload_type": "json"},
            'Payload: {"a": 1, "note": "[INVOICE]"}',
        ),
        ({"account_name": "Invoices Ltd"}, "Account name: [Invoice]s Ltd"),
        (
            {"url": "/invoice/1", "object_type": "report", "object_id": "1"},
            "URL: /[invoice]/1",
        ),
    ],
)
def test_excerpt_shows_a_match_outside_the_row(
    viewer_client: Client, fields: dict[str, Any], result: str
) -> None:
    store([make_item(**fields)])
    assert excerpt(fetch(viewer_client, "?q=invoice&account_id=7")) == result


def test_excerpt_has_the_surroundings_alone(viewer_client: Client) -> None:
    text = "ä" * 70_000 + " İnvoice 4711 " + "\n\tb" * 500
    store([make_item(payload=text, payload_type="text")])
    shown = excerpt(fetch(viewer_client, "?q=invoice&account_id=7"))
    assert re.fullmatch(r"Payload: …ä+ \[İnvoice\] 4711 (b )+b?…", shown)
    assert len(shown) < 2 * AROUND + 40


def test_row_with_a_mark_has_no_excerpt(viewer_client: Client) -> None:
    store([make_item(url="/invoices/1", payload="invoice", payload_type="text")])
    page = fetch(viewer_client, "?q=Invoice&account_id=7")
    assert "<code>/<mark>invoice</mark>s/1</code>" in page
    assert "class=excerpt" not in page
