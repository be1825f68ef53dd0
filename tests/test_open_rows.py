"""A row of the listing opens in place: in the page, and as a fragment."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from logs.models import LogItem
from logs.signals import log_opened
from logs.storage import documents
from tests.dynamodb_calls import recorded_calls
from tests.items import make_item, store
from tests.pages import fetch, link, row_ids

pytestmark = pytest.mark.usefixtures("logs_table")

CHANGES = '{"id": 4711, "changes": {"status": ["open", "paid"], "total": [120, 99.5]}}'


def make_update(number: int, **changes: Any) -> LogItem:
    """Return the log of an update of an invoice."""
    fields = {"object_type": "invoice", "object_id": "4711", "payload": CHANGES, "payload_type": "json"}
    return make_item(number, type="update", user_name="Zoë", **{**fields, **changes})


def test_open_row_shows_changes_payload_and_fields(viewer_client: Client) -> None:
    store([make_update(1), make_update(2)])
    page = fetch(viewer_client, f"?open={make_item(1).id}")
    assert page.count("<tr class=pane>") == 1
    pane = page[page.index("<tr class=pane>") :]
    assert page.index(f'id="log-{make_item(1).id}"') < page.index("<tr class=pane>")
    assert re.findall(r"<label [^>]*>([^<]*)</label>", pane)[:3] == ["Changes (2)", "Payload", "All fields"]
    assert "<del>open</del>" in pane
    assert "logs-tree" in pane
    assert "<dt>User name</dt>" in pane
    assert f'value="-{make_item(1).id}" aria-expanded=true>' in page


def test_fragment_is_the_content_of_an_open_row(viewer_client: Client) -> None:
    store([make_update(1)])
    log_id = make_item(1).id
    pane = fetch(viewer_client, f"{log_id}/row/?type=update&limit=25")
    assert pane.startswith('<div class="logs-pane"')
    assert pane.strip() in fetch(viewer_client, f"?type=update&limit=25&open={log_id}")
    assert parse_qs(urlsplit(link(pane, "everything")).query)["around"] == [log_id]
    history = parse_qs(urlsplit(link(pane, "History of invoice:4711")).query)
    assert history == {"account_id": ["7"], "object": ["invoice:4711"], "limit": ["25"]}


def test_rows_open_and_close_without_a_script(viewer_client: Client) -> None:
    store(make_update(n) for n in range(60))
    first, second = make_item(1).id, make_item(2).id
    page = fetch(viewer_client, link(fetch(viewer_client), "Next ›"))
    form = page[page.index('id="logs-rows"') : page.index("<table")]
    place = "&".join(f"{name}={value}" for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form))
    opened = fetch(viewer_client, f"?{place}&open={first}&open={second}")
    assert row_ids(opened) == row_ids(page)
    assert opened.count("<tr class=pane>") == 2
    closed = fetch(viewer_client, f"?{place}&open={first}&open={second}&open=-{first}")
    assert closed.count("<tr class=pane>") == 1
    assert closed.count(f'<input type="hidden" name="open" value="{second}">') == 1


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?open=x", "open: “x” is not the ID of a log: 32 hex digits."),
        ("?open=-", "open: “-” is not the ID of a log"),
        ("?" + "&".join(f"open={n:032x}" for n in range(21)), "open: at most 20 rows can be open, not 21."),
    ],
)
def test_wrong_open_rows_are_a_clear_error(viewer_client: Client, query: str, words: str) -> None:
    store([make_item()])
    assert words in fetch(viewer_client, query, status=400)


def test_row_of_another_page_stays_closed(viewer_client: Client) -> None:
    store([make_item(1), make_item(2, account_id="8")])
    assert "class=pane" not in fetch(viewer_client, f"?account_id=7&open={make_item(2).id}")
    assert "class=pane" not in fetch(viewer_client, f"?open={make_item(3).id}")


def test_fragment_has_its_errors_as_text(viewer_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    store([make_item(1, account_id="_logsite")])
    for log_id in (make_item(1).id, make_item(9).id, "x"):
        assert fetch(viewer_client, f"{log_id}/row/", status=404) == "There is no log with this ID."
    assert "not valid" in fetch(viewer_client, f"{make_item(1).id}/row/?limit=0", status=400)
    monkeypatch.setattr(LogItem.Meta, "table_name", "NoSuchTable")
    assert "does not answer" in fetch(viewer_client, f"{make_item(1).id}/row/", status=503)


def test_open_row_costs_one_request(viewer_client: Client) -> None:
    store(make_update(n) for n in range(5))
    with recorded_calls() as calls:
        fetch(viewer_client, f"?open={make_item(1).id}&open={make_item(2).id}")
    assert calls.count(("GetItem", "LogsTable")) == 2
    with recorded_calls() as calls:
        fetch(viewer_client, f"{make_item(1).id}/row/")
    assert [call for call in calls if call[1] == "LogsTable"] == [("GetItem", "LogsTable")]


def test_open_row_is_in_the_audit_trail(viewer_client: Client) -> None:
    openings = []

    def receive(log_id: str, via: str, **_: Any) -> None:
        openings.append((log_id, via))

    log_opened.connect(receive)
    store([make_item(1)])
    fetch(viewer_client, f"{make_item(1).id}/row/")
    fetch(viewer_client, f"?open={make_item(1).id}")
    log_opened.disconnect(receive)
    assert openings == [(make_item(1).id, "row")] * 2


def test_fields_filter_by_their_values(viewer_client: Client) -> None:
    store([make_update(1, submitter_country="Germany")])
    pane = fetch(viewer_client, f"{make_item(1).id}/row/?-type=login&account_id=7&account_id=8")

    def addresses(label: str) -> list[dict[str, list[str]]]:
        field = pane[pane.index(f"<dt>{label}</dt>") :]
        hrefs = re.findall('href="([^"]*)"', field[: field.index("</dd>")])
        return [parse_qs(urlsplit(href.replace("&amp;", "&")).query) for href in hrefs]

    rest = {"-type": ["login"]}
    both = {"account_id": ["7", "8"], **rest}
    assert addresses("Country") == [
        {**both, "submitter_country": ["Germany"]},
        {**both, "-submitter_country": ["Germany"]},
    ]
    assert addresses("Account") == [{"account_id": ["7"], **rest}, {"account_id": ["8"], **rest}]
    assert addresses("Type")[1] == {**both, "-type": ["login", "update"]}
    assert addresses("User")[0] == {"account_id": ["7"], "user_id": ["12"], **rest}
    assert addresses("User name") == [{**both, "user_name": ["Zoë"]}]


def test_hostile_log_opens_harmlessly(viewer_client: Client) -> None:
    attack = "\"'><script>alert(1)</script>\u202e👩‍👧"
    names = [
        "account_id",
        "user_id",
        "type",
        "sub_type",
        "submitter_city",
        "submitter_agent",
        "summary",
        "url",
    ]
    document = documents.pack({"payload": attack * 5_000, "extra": f'{{"a": "{"x" * 50_000}"}}'})
    store([make_item(1, **dict.fromkeys(names, attack), document=document, payload_type="text")])
    pane = fetch(viewer_client, f"{make_item(1).id}/row/?q=alert")
    assert "<script" not in pane
    assert "\u202e" not in pane
    assert "This is the beginning." in pane
    assert len(pane.encode()) < 120_000
