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
from tests.pages import LISTING

pytestmark = pytest.mark.usefixtures("logs_table")


def address(item: LogItem, query: str = "") -> str:
    return f"{LISTING}{item.id}/change/{query}"


def show(client: Client, **fields: Any) -> str:
    item = make_item(**fields)
    store([item])
    response = client.get(address(item))
    assert response.status_code == 200
    return response.content.decode()


def field(page: str, label: str) -> str:
    match = re.search(
        rf'<label>{re.escape(label)}:</label>\s*<div class="readonly">(.*?)</div>', page, re.DOTALL
    )
    assert match, f"no field {label!r}"
    return html.unescape(re.sub(r"<[^>]+>", "", match[1]))


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
        "Payload": "—",
        "Id": make_item().id,
        "Sender": "AIDAEXAMPLE",
        "Expires (UTC)": "never",
    }
    assert {label: field(page, label) for label in expected} == expected


def test_internal_fields_are_collapsed(viewer_client: Client) -> None:
    collapsed = show(viewer_client).split("<details>")[-1].split("</details>")[0]
    for label in ("Id", "Received (UTC)", "Status", "Account and type"):
        assert f"<label>{label}:</label>" in collapsed


def test_json_payload_is_indented(viewer_client: Client) -> None:
    page = show(viewer_client, payload='{"total":129.5,"who":"Zoë"}', payload_type="json")
    assert field(page, "Payload") == '{\n  "total": 129.5,\n  "who": "Zoë"\n}'
    assert '{"total":129.5,"who":"Zoë"}' in html.unescape(page)


def test_text_payload_is_unchanged(viewer_client: Client) -> None:
    text = "line one\n  line <two>\n\n{not json}"
    page = show(viewer_client, payload=text, payload_type="text")
    assert field(page, "Payload") == text
    assert "Payload as sent" not in page


def test_text_payload_of_json_is_shown_in_both_forms(viewer_client: Client) -> None:
    page = show(viewer_client, payload='{"price": 1.10}', payload_type="text")
    assert field(page, "Payload") == '{\n  "price": 1.1\n}'
    assert '{"price": 1.10}' in html.unescape(page)


@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 190 + "1" + ",1" * 60_000 + "]" * 190])
def test_deeply_nested_json_is_not_indented(viewer_client: Client, text: str) -> None:
    data = documents.pack({"payload": text})
    page = show(viewer_client, document=data, payload_type="text")
    assert field(page, "Payload") == text
    assert len(page) < 6_000_000


def test_unknown_fields_are_shown_as_extra_fields(viewer_client: Client) -> None:
    extra = {"status": "paid", "deep": {"list": [1, None, True]}}
    page = show(viewer_client, document=documents.pack({"extra": json.dumps(extra)}))
    assert json.loads(field(page, "Extra fields")) == extra


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
    row = page.split("<label>URL:</label>")[1].split('class="form-row"')[0]
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


@pytest.mark.parametrize("page", ["change", "json"])
@pytest.mark.parametrize("log_id", ["0" * 32, "nonsense", "%00", "x" * 3000, "a/b", "choices", "<b>", "%ff"])
def test_missing_log_is_404_in_the_frame(viewer_client: Client, log_id: str, page: str) -> None:
    response = viewer_client.get(f"{LISTING}{log_id}/{page}/")
    assert response.status_code == 404
    text = html.unescape(response.content.decode())
    assert "There is no log with the ID “" in text
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
    assert 'href="/admin/logs/log/?//evil.example/?a&quot;b"' in page


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
    assert r"x\u202ey\u0007" in field(page, "Payload")
    assert "\n" in field(page, "Payload")
    assert not {"\u200b", "\u202e", "\u0007"} & set(page)
