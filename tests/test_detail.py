"""The detail page shows every field of a log and escapes it."""

import html
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from logs.characters import visible
from logs.models import LogItem
from logs.storage import documents
from tests.items import make_item, store
from tests.pages import LISTING, link

pytestmark = pytest.mark.usefixtures("logs_table")


def address(item: LogItem, query: str = "") -> str:
    return f"{LISTING}{item.id}/change/{query}"


def show(client: Client, **fields: Any) -> str:
    item = make_item(**fields)
    store([item])
    response = client.get(address(item))
    assert response.status_code == 200
    return response.content.decode()


def text_of(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", markup))


def field(page: str, label: str) -> str:
    match = re.search(rf"<dt>{re.escape(label)}</dt><dd[^>]*>(.*?)</dd>", page, re.DOTALL)
    assert match, f"no field {label!r}"
    return text_of(match[1])


def section(page: str, name: str) -> str:
    """Return the HTML of a section of the page."""
    match = re.search(rf'<section class="module" id="{name}".*?</section>', page, re.DOTALL)
    assert match, f"no section {name!r}"
    return match[0]


def payload(page: str) -> str:
    """Return the text of the payload in the form that the page shows."""
    forms = r'<pre[^>]*>(.*?)</pre>|<div class="logs-tree"[^>]*>(.*)</div>'
    match = re.search(forms, section(page, "payload"), re.DOTALL)
    assert match
    return text_of(match[1] or match[2])


def test_detail_shows_every_field(viewer_client: Client) -> None:
    page = show(
        viewer_client,
        user_id="31",
        sub_type="card",
        url="/billing",
        submitter_id="4",
        submitter_country="Germany",
        submitter_city="Berlin",
        submitter_platform="macOS",
        submitter_browser="Safari",
        submitter_agent="Mozilla/5.0",
        sender="AIDAEXAMPLE",
    )
    expected = {
        "Time (UTC)": "2026-11-01 00:00:00.000000",
        "Account": "7",
        "User": "31",
        "Type": "login",
        "Subtype": "card",
        "URL": "/billing",
        "Submitter id": "4",
        "Submitter country": "Germany",
        "Submitter city": "Berlin",
        "Submitter platform": "macOS",
        "Submitter browser": "Safari",
        "Submitter agent": "Mozilla/5.0",
        "Id": make_item().id,
        "Sender": "AIDAEXAMPLE",
        "Expires (UTC)": "never",
    }
    assert {label: field(page, label) for label in expected} == expected


def test_empty_fields_take_no_row(viewer_client: Client) -> None:
    page = show(viewer_client, url="", sub_type="")
    labels = re.findall(r"<dt>(.*?)</dt>", section(page, "fields"))
    assert labels == ["Time (UTC)", "Account", "User", "Type"]
    assert 'id="payload"' not in page


def test_internal_fields_are_collapsed(viewer_client: Client) -> None:
    collapsed = show(viewer_client).split("<details>")[-1].split("</details>")[0]
    for label in ("Id", "Received (UTC)", "Status", "Account and type"):
        assert f"<dt>{label}</dt>" in collapsed


JSON = '{"total":129.50,"who":"Zoë","lines":[{"sku":"<b>"},null],"none":{}}'


def test_json_payload_is_a_tree(viewer_client: Client) -> None:
    page = show(viewer_client, payload=JSON, payload_type="json")
    assert payload(page) == (
        '{ 4 keys"total": 129.5,"who": "Zoë","lines": [ 2 items{ 1 key"sku": "<b>"},null],"none": {}}'
    )
    tree = section(page, "payload")
    assert tree.count("<details open>") == 2
    assert tree.count("<details>") == 1
    assert '<bdi>"Zoë"</bdi>' in tree
    assert '<bdi>"&lt;b&gt;"</bdi>' in tree


def test_payload_has_one_form_at_a_time(viewer_client: Client) -> None:
    page = show(viewer_client, payload=JSON, payload_type="json")
    item = make_item()
    raw = viewer_client.get(link(page, "Raw")).content.decode()
    assert payload(raw).startswith('{\n  "total": 129.5,\n  "who": "Zoë",')
    assert "logs-tree" not in raw
    sent = viewer_client.get(link(raw, "As sent")).content.decode()
    assert payload(sent) == JSON
    assert html.unescape(sent).count("Zoë") == 1
    assert link(sent, "Tree") == f"{address(item)}?view=tree#payload"
    response = viewer_client.get(f"{LISTING}{item.id}/json/?part=payload")
    assert (response.content.decode(), response["Content-Type"]) == (JSON, "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("?view=x%3Cb%3E", "The parameter view must be tree or raw or sent, not “x&lt;b&gt;”."),
        ("?all=2", "The parameter all must be 1, not “2”."),
        (
            "?axis=%E2%80%AE",
            "The parameter axis must be user or account or type or everything, not “\\u202e”.",
        ),
    ],
)
def test_wrong_parameter_of_a_log_is_400(viewer_client: Client, query: str, message: str) -> None:
    store([make_item()])
    response = viewer_client.get(address(make_item(), query))
    assert response.status_code == 400
    assert message in response.content.decode()


def test_text_payload_is_unchanged(viewer_client: Client) -> None:
    text = "line one\n  line <two>\n\n{not json}"
    page = show(viewer_client, payload=text, payload_type="text")
    assert payload(page) == text
    assert "As sent" not in page


def test_text_payload_of_json_has_each_form(viewer_client: Client) -> None:
    page = show(viewer_client, payload='{"price": 1.10}', payload_type="text")
    assert payload(page) == '{ 1 key"price": 1.1}'
    assert payload(viewer_client.get(link(page, "As sent")).content.decode()) == '{"price": 1.10}'


@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 190 + "1" + ",1" * 60_000 + "]" * 190])
def test_deeply_nested_json_is_limited(viewer_client: Client, text: str) -> None:
    data = documents.pack({"payload": text})
    page = show(viewer_client, document=data, payload_type="text")
    assert payload(page).startswith("[")
    raw = viewer_client.get(address(make_item(), "?view=raw")).content.decode()
    assert payload(raw) == text
    assert len(page) + len(raw) < 1_000_000


@pytest.mark.parametrize("kind", ["values", "text"])
def test_long_payload_begins_with_200_kb(viewer_client: Client, kind: str) -> None:
    values = {f"name{n}": "x" * 80 for n in range(10_000)}
    text = json.dumps(values) if kind == "values" else "x" * 1_000_000
    page = show(viewer_client, document=documents.pack({"payload": text}), payload_type="text")
    assert 200_000 < len(page) < 400_000
    assert link(page, "download the file") == f"{LISTING}{make_item().id}/json/"
    whole = viewer_client.get(link(page, "Show all")).content.decode()
    assert len(whole) > 900_000
    assert "Show all" not in whole


def test_what_changed_is_a_table(viewer_client: Client) -> None:
    changes = {"status": ["open", "Paid"], "<i>": ["", None], "due": ["2026-12-01", "2026-12-15"]}
    page = show(viewer_client, payload=json.dumps({"changes": changes}), payload_type="json")
    table = section(page, "changes")
    assert "What changed (3 fields)" in table
    cells = re.findall(r'<th scope="row">(.*?)</th>\s*<td>(.*?)</td>\s*<td>(.*?)</td>', table)
    assert cells == [
        ("status", "<del>open</del>", "<ins>Paid</ins>"),
        ("&lt;i&gt;", "<i>empty</i>", "<i>null</i>"),
        ("due", "2026-12-<del>01</del>", "2026-12-<ins>15</ins>"),
    ]
    many = {f"f{n}": [n, -1] for n in range(210)}
    page = show(viewer_client, payload=json.dumps({"changes": many}), payload_type="json")
    assert '10 more fields: <a href="#payload">see the payload</a>' in page


def test_heading_and_title_are_words(viewer_client: Client) -> None:
    names = {"user_name": "Zoë", "account_name": "Nord"}
    page = show(viewer_client, type="update", sub_type="invoice", url="/invoices/4711", **names)
    assert "<title>update invoice · /invoices/4711 | " in page
    assert text_of(page.split("<h1>")[1].split("</h1>")[0]) == "update invoice · /invoices/4711"
    line = " ".join(text_of(page.split('<p class="logs-line">')[1].split("</p>")[0]).split())
    assert line.startswith("2026-11-01 00:00:00.000 UTC · ")
    assert f"by user 12 (Zoë) of account 7 (Nord) · {make_item().id} Copy ID" in line
    page = show(viewer_client, object_type="invoice", object_id="4711", user_id="0", submitter_city="Ōsaka")
    assert "<title>login password · invoice:4711 | " in page
    assert "no one</bdi></a> of" in page
    assert "· <bdi>Ōsaka</bdi>" in page


def test_unknown_fields_are_shown_as_extra_fields(viewer_client: Client) -> None:
    extra = {"status": "paid", "deep": {"list": [1, None, True]}}
    page = show(viewer_client, document=documents.pack({"extra": json.dumps(extra)}))
    text = text_of(section(page, "extra"))
    assert '"status": "paid"' in text
    assert '"list": [ 3 items1,null,true]' in text


def test_truncated_text_is_shown_in_full(viewer_client: Client) -> None:
    url = "/search?q=" + "x" * 3000
    page = show(viewer_client, url=url[:1000] + "…", document=documents.pack({"texts": {"url": url}}))
    assert field(page, "URL") == url


def test_rejected_created_at_is_shown(viewer_client: Client) -> None:
    page = show(viewer_client, document=documents.pack({"created_at": "2126-01-01T00:00:00.000000+00:00"}))
    assert "2126-01-01T00:00:00.000000+00:00" in field(page, "Time as sent")


@pytest.mark.parametrize("url", ["https://example.com/a?b=1&c=2", "http://example.com"])
def test_http_url_is_a_link_without_referrer(viewer_client: Client, url: str) -> None:
    page = show(viewer_client, url=url)
    assert f'<a href="{html.escape(url)}" rel="noopener noreferrer"><bdi>{html.escape(url)}</bdi></a>' in page


@pytest.mark.parametrize(
    "url",
    [
        "/login",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "//example.com/x",
        "http:alert(1)",
        "http://[",
    ],
)
def test_other_url_is_plain_text(viewer_client: Client, url: str) -> None:
    page = show(viewer_client, url=url)
    row = page.split("<dt>URL</dt>")[1].split("</div>")[0]
    assert "href" not in row
    assert html.escape(visible(url)) in row


@pytest.mark.parametrize(
    "name", ["account_id", "user_id", "type", "sub_type", "url", "submitter_city", "payload"]
)
@pytest.mark.parametrize(
    "attack", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7|add:7 }}"]
)
def test_hostile_value_is_escaped_on_both_pages(viewer_client: Client, name: str, attack: str) -> None:
    page = show(viewer_client, **{name: attack})
    listing = viewer_client.get(LISTING).content.decode()
    for text in (page, listing):
        assert "<script>alert" not in text
        assert "<img" not in text
    assert html.escape(attack) in page


@pytest.mark.parametrize("page", ["change", "timelines", "json"])
@pytest.mark.parametrize("log_id", ["0" * 32, "nonsense", "%00", "x" * 3000, "a/b", "choices", "<b>", "%ff"])
def test_missing_log_is_404_in_the_frame(viewer_client: Client, log_id: str, page: str) -> None:
    response = viewer_client.get(f"{LISTING}{log_id}/{page}/")
    assert response.status_code == 404
    text = html.unescape(response.content.decode())
    reason = "There is no log with the ID “" if log_id.isdecimal() else "” is not the ID of a log"
    assert reason in text
    assert 'id="site-name"' in text
    assert "Log out" in text
    assert f'href="{LISTING}"' in text
    assert "<b>" not in response.content.decode()


def test_deleted_and_expired_logs_are_404(viewer_client: Client) -> None:
    deleted, expired = make_item(1), make_item(2, expires_at=datetime(2026, 11, 2, tzinfo=UTC))
    store([deleted, expired])
    deleted.delete()
    for item in (deleted, expired):
        assert viewer_client.get(address(item)).status_code == 404


def test_detail_accepts_any_uuid_format(viewer_client: Client) -> None:
    store([make_item(10)])
    response = viewer_client.get(f"{LISTING}00000000-0000-4000-8000-00000000000A/change/")
    assert response.status_code == 200


def test_close_link_stays_in_the_listing(viewer_client: Client) -> None:
    item = make_item()
    store([item])
    page = viewer_client.get(address(item, "?_changelist_filters=//evil.example/%3Fa%22b")).content.decode()
    assert f'href="/admin/logs/log/?//evil.example/?a&quot;b#log-{item.id}"' in page


@pytest.mark.parametrize("page", ["", "add/", "{}/", "{}/history/", "{}/delete/"])
def test_other_admin_pages_are_not_routed(superuser_client: Client, page: str) -> None:
    item = make_item()
    store([item])
    if page:
        assert superuser_client.get(LISTING + page.format(item.id)).status_code == 404


def test_post_changes_nothing(superuser_client: Client) -> None:
    item = make_item()
    store([item])
    superuser_client.post(address(item), {"type": "forged"})
    assert LogItem.get(item.id).type == "login"


def test_invisible_characters_are_shown_as_escapes(viewer_client: Client) -> None:
    page = show(
        viewer_client,
        account_id="7\u200b",
        type="lo\u202egin",
        payload='{"a": "x\u202ey\u0007",\n"b": 1}',
        payload_type="text",
        payload_size=20,
    )
    assert field(page, "Account") == r"7\u200b"
    assert field(page, "Type") == r"lo\u202egin"
    assert r"x\u202ey\u0007" in payload(page)
    assert "\n" in payload(page)
    assert not {"\u200b", "\u202e", "\u0007"} & set(page)
