"""The rows of the listing: days, columns, links, colors and size."""

import gzip
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from logs import conf, times
from logs.filters import LogFilter
from logs.form_fields import DEFAULT_LIMIT
from logs.models import ROW_ATTRIBUTES
from logs.pages.address import Address
from logs.pages.rows import RowOptions, render_rows, value_html
from logs.plan import make_plan
from logs.storage.raw_items import to_log
from logsite.local.samples import samples
from tests.items import START, make_item, store
from tests.pages import fetch, link, row_ids, rows

pytestmark = pytest.mark.usefixtures("logs_table")

UNTIL = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
SAMPLE_FIELDS = ("id", *ROW_ATTRIBUTES[2:])
ATTACKS = {
    "markup": "\"'><script>alert(1)</script><img src=x onerror=alert(1)>",
    "long": "x" * 900,
    "right_to_left": "\u05d0\u05d1 \u202e(evil)\u202c",
    "emoji": "👩‍👩‍👧‍👦 <b>",
    "entity": "&lt;script&gt;&#39;",
    "template": "{{ 7 }}{% url 'x' %}%s",
}


def sample_items(count: int) -> Iterator[Any]:
    """Yield sample logs as items, without the writer."""
    for log in samples(count, UNTIL):
        values: dict[str, Any] = {name: str(log[name]) for name in SAMPLE_FIELDS if log.get(name) is not None}
        yield make_item(**values, created_at=times.parse(log["created_at"]))


def test_page_of_100_sample_logs_is_small(viewer_client: Client) -> None:
    store(sample_items(100))
    fetch(viewer_client, "?set_limit=100", status=302)
    page = fetch(viewer_client)
    assert len(row_ids(page)) == 100
    html = render_rows(Address(make_plan(LogFilter()), DEFAULT_LIMIT), sample_items(100))
    assert len(html.encode()) <= 60_000
    assert len(page.encode()) <= 85_000
    assert len(gzip.compress(page.encode(), 6)) <= 15_000


@pytest.mark.parametrize("zone", [UTC, ZoneInfo("Europe/Berlin")])
def test_time_in_another_format_is_shown_as_the_stored_one(zone: tzinfo) -> None:
    raw = make_item(1).serialize()
    address, options = Address(make_plan(LogFilter()), DEFAULT_LIMIT), RowOptions(zone=zone)
    texts = ["2026-10-31T23:59:59.500000+00:00", "2026-11-01T01:59:59.5+02:00"]
    htmls = [render_rows(address, [to_log({**raw, "created_at": {"S": text}})], options) for text in texts]
    assert htmls[0] == htmls[1]
    assert "<time datetime=2026-10-31T23:59:59.500000Z>" in htmls[0]
    with pytest.raises(ValueError, match="script"):
        render_rows(address, [to_log({**raw, "created_at": {"S": f"{texts[0]}><script>"}})], options)


def test_days_precede_their_rows(viewer_client: Client) -> None:
    store(make_item(n, created_at=START + timedelta(hours=12 * n)) for n in range(4))
    page = fetch(viewer_client)
    days = re.findall(r"<tr data-day=(\S+)><td colspan=7>([^<]+)<tr id=\"log-(\w+)", page)
    assert days == [
        ("2026-11-02", "Monday, 2 November 2026", make_item(3).id),
        ("2026-11-01", "Sunday, 1 November 2026", make_item(1).id),
    ]


def test_rows_are_in_the_time_zone() -> None:
    address = Address(make_plan(LogFilter()), 50)
    late = make_item(created_at=datetime(2026, 11, 1, 23, 30, tzinfo=UTC))
    html = render_rows(address, [late], RowOptions(zone=ZoneInfo("Europe/Berlin")))
    assert "Monday, 2 November 2026" in html
    assert "<time datetime=2026-11-01T23:30:00.000000Z>00:30:00<i>.000</i>" in html


def test_account_is_hidden_if_all_rows_have_it(viewer_client: Client) -> None:
    store([make_item()])
    assert "<td class=a>" in fetch(viewer_client)
    assert "<td class=a>" in fetch(viewer_client, "?account_id=7&account_id=8")
    assert "<td class=a>" not in fetch(viewer_client, "?account_id=7")


def test_object_replaces_the_url(viewer_client: Client) -> None:
    invoice = {"object_type": "invoice", "object_id": "4711", "url": "/invoices/4711"}
    store(
        [
            make_item(1, **invoice, object_name="Invoice no. 4711"),
            make_item(2, **invoice),
            make_item(3, url=""),
        ]
    )
    texts = rows(fetch(viewer_client))
    assert [re.findall("password (.*) —", text)[0] for text in texts] == [
        "—",
        "invoice:4711",
        "Invoice no. 4711",
    ]
    href = link(fetch(viewer_client), "Invoice no. 4711")
    assert parse_qs(urlsplit(href).query) == {"account_id": ["7"], "object": ["invoice:4711"]}


@pytest.mark.parametrize(
    "value", ["x0x", "a, b", "\\no one", "no one", "50%", "a+b&c=d", "x0xaccount_idx0x", "é\u0301"]
)
def test_value_links_are_those_of_the_address(value: str) -> None:
    address = Address(make_plan(LogFilter(url="x0x", account_id=("x1x", "x0x"))), 25)
    item = make_item(account_id=value.strip(), user_id=value, type=value)
    html = render_rows(address, [item])
    hrefs = [re.sub("&amp;", "&", href) for href in re.findall(r'href="(\?[^"]*)"', html)]
    assert hrefs == [
        address.narrow(account_id=(value,)),
        address.narrow(account_id=(value,), user_id=(value,)),
        address.narrow(type=(value,)),
    ]


class Elements(HTMLParser):
    """The elements of rows, and their text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=list(ATTACKS))
def test_hostile_values_are_text(attack: str) -> None:
    names = ("account_id", "user_id", "type", "sub_type", "url", "user_name", "summary")
    client = [f"submitter_{name}" for name in ("city", "country", "platform", "browser")]
    values: dict[str, Any] = dict.fromkeys([*names, *client], attack)
    about: dict[str, Any] = dict.fromkeys(["object_type", "object_id", "object_name"], attack)
    item, named = make_item(**values), make_item(**about)
    for log_filter in (LogFilter(), LogFilter(q=attack[:9]), LogFilter(url=attack[:9], user_name="x")):
        address = Address(make_plan(log_filter), 50)
        elements = Elements(render_rows(address, [item, named]))
        assert elements.names <= {"tr", "th", "td", "a", "i", "code", "bdi", "time", "button", "mark"}
        assert elements.attributes <= {
            *("id", "class", "href", "scope", "name", "value", "datetime", "colspan", "data-day"),
        }
        assert elements.text.count(attack.replace("\u202e", "\\u202e").replace("\u202c", "\\u202c")) == 12
        assert "\u202e" not in elements.text


def test_only_texts_outside_ascii_are_isolated() -> None:
    assert value_html("a<b") == "a&lt;b"
    assert value_html("Zoë") == "<bdi>Zoë</bdi>"
    assert value_html("Zoë & Zoe", [(0, 3), (6, 9)]) == "<bdi><mark>Zoë</mark> &amp; <mark>Zoe</mark></bdi>"


def test_types_have_the_colors_of_the_setting(viewer_client: Client, settings: Any) -> None:
    store([make_item(1, type="login"), make_item(2, type="error")])
    assert re.findall(r"<td class=w><a( class=\w+)? href", fetch(viewer_client)) == [" class=red", ""]
    settings.LOGS_TYPE_COLORS = '{"login": "green", "error": "gray"}'
    assert re.findall(r"<td class=w><a( class=\w+)? href", fetch(viewer_client)) == ["", " class=green"]


@pytest.mark.parametrize(
    "value", ["green", "[]", '{"login": "lime"}', '{"login": 1}', {"a": "lime"}, '{"a": []}']
)
def test_wrong_colors_are_a_clear_error(settings: Any, value: object) -> None:
    settings.LOGS_TYPE_COLORS = value
    with pytest.raises(ImproperlyConfigured, match=r"LOGS_TYPE_COLORS must be a JSON object .* purple"):
        conf.check()


def test_rows_have_no_way_back_in_their_links(viewer_client: Client) -> None:
    store(make_item(n) for n in range(60))
    second = fetch(viewer_client, link(fetch(viewer_client, "?account_id=7&limit=25"), "Next ›"))
    assert f'href="{row_ids(second)[0]}/change/"' in second
    assert "cursor=" not in unquote(second[second.index("<tbody>") : second.index("</tbody>")])


def test_ids_without_a_name_have_labels(viewer_client: Client, settings: Any) -> None:
    calls: list[tuple[str, list[str]]] = []

    def labels(kind: str, ids: list[str]) -> dict[str, str]:
        calls.append((kind, ids))
        return {key: f"<{kind}> {key}" for key in ids}

    settings.LOGS_LABELS = labels
    invoice = {"object_type": "invoice", "object_id": "4711"}
    store([make_item(1, user_name="Zoë", **invoice), make_item(2, user_id="13", **invoice)])
    [second, first] = rows(fetch(viewer_client))
    assert "7 <account> 7 13 <user> 13 login password <object> invoice:4711" in second
    assert "7 <account> 7 12 Zoë login password <object> invoice:4711" in first
    assert calls == [("account", ["7"]), ("user", ["13"]), ("object", ["invoice:4711"])]
