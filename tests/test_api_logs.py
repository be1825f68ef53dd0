"""The listing and the detail as JSON have the filters, pages and cursors of the admin."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from django.test import Client

from logs.models import CONTEXT_FIELDS
from logs.storage import documents, parts
from tests.api import LOGS, fetch, program
from tests.dynamodb_calls import counted_calls
from tests.items import START, logs, make_item, store
from tests.noise import noise
from tests.pages import fetch as fetch_page
from tests.pages import link, row_ids

pytestmark = pytest.mark.usefixtures("logs_table")

CONTRACT = {"items", "next", "previous", "index", "examined", "complete", "reached"}


def ids(page: Any) -> list[str]:
    return [item["id"] for item in page["items"]]


def test_page_has_items_and_query_details() -> None:
    store([make_item(1, submitter_city="Sofia", payload="secret", payload_size=6)])
    page = fetch(program(), f"{LOGS}?account_id=7&type=login")
    assert set(page) >= CONTRACT
    assert page["items"] == [
        {
            "id": make_item(1).id,
            "created_at": "2026-11-01T00:00:01.000000+00:00",
            "account_id": "7",
            "user_id": "12",
            "type": "login",
            "sub_type": "password",
            "url": "/login",
            "submitter_id": None,
            "submitter_country": None,
            "submitter_city": "Sofia",
            "submitter_platform": None,
            "submitter_browser": None,
            "payload_size": 6,
            **dict.fromkeys(CONTEXT_FIELDS),
        }
    ]
    details = {name: page[name] for name in CONTRACT - {"items"}}
    assert details == {
        "next": None,
        "previous": None,
        "index": "AccountTypeIndex",
        "examined": 1,
        "complete": True,
        "reached": None,
    }
    assert page["sentence"] == "Logs of type login of account 7, newest first."
    assert (page["queries"], page["read_units"]) == (1, 0.5)


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_next_reaches_the_end_and_previous_returns(order: str) -> None:
    store(make_item(n, account_id="78"[n % 2]) for n in range(130))
    client, query = program(), {"account_id": ["7", "8"], "order": order, "limit": 20}
    pages = [fetch(client, f"{LOGS}?{urlencode(query, doseq=True)}")]
    while pages[-1]["next"]:
        pages.append(fetch(client, f"{LOGS}?{urlencode({**query, 'cursor': pages[-1]['next']}, doseq=True)}"))
    walked = [log_id for page in pages for log_id in ids(page)]
    expected = [make_item(n).id for n in range(130)]
    assert walked == (expected if order == "oldest" else expected[::-1])
    assert pages[0]["previous"] is None
    back = fetch(client, f"{LOGS}?{urlencode({**query, 'cursor': pages[3]['previous']}, doseq=True)}")
    assert ids(back) == ids(pages[2])


def test_cursor_works_in_the_admin_and_the_api(viewer_client: Client) -> None:
    store(make_item(n) for n in range(120))
    listing = fetch_page(viewer_client, "?account_id=7")
    address = link(listing, "Next ›")
    page = fetch(program(), LOGS + address)
    assert ids(page) == row_ids(fetch_page(viewer_client, address))
    assert row_ids(fetch_page(viewer_client, f"?account_id=7&cursor={page['previous']}")) == row_ids(listing)
    assert parse_qs(urlsplit(address).query)["cursor"]


def test_filters_match_those_of_the_admin() -> None:
    store(make_item(n, user_id="31" if n % 10 == 3 else "12", account_id="a,b") for n in range(40))
    client = program()
    assert len(ids(fetch(client, f"{LOGS}?user_id=31"))) == 4
    assert len(ids(fetch(client, f"{LOGS}?account_id=a,b"))) == 40, "a comma is part of a value"
    for query in ("-user_id=31", "not_user_id=31", "not_user_id=31&-user_id=13&type=login"):
        assert len(ids(fetch(client, f"{LOGS}?{query}"))) == 36
    assert len(fetch(client, f"{LOGS}/groups?field=user_id&not_user_id=12")["groups"]) == 1
    at = quote((START + timedelta(seconds=5)).isoformat())
    assert len(ids(fetch(client, f"{LOGS}?at={at}"))) == 6
    around = fetch(client, f"{LOGS}?around={make_item(20).id}&limit=5")
    assert ids(around)[2] == make_item(20).id
    assert len(ids(fetch(client, f"{LOGS}?from=2026-11-01T00:00:10Z&to=2026-11-01T00:00:20Z"))) == 10


def test_search_for_an_id_returns_its_log() -> None:
    store(make_item(n) for n in range(3))
    page = fetch(program(), f"{LOGS}?q={make_item(1).id.upper()}")
    assert ids(page) == [make_item(1).id]
    assert (page["next"], page["previous"], page["index"], page["examined"]) == (None, None, None, 1)


def test_page_over_budget_is_incomplete_and_continues(settings: Any) -> None:
    settings.LOGS_MAX_EXAMINED = 300
    store(make_item(n, sub_type="rare" if n == 5 else "password") for n in range(500))
    client = program()
    page = fetch(client, f"{LOGS}?sub_type=rare")
    assert (page["items"], page["complete"], page["examined"]) == ([], False, 300)
    assert page["reached"] == "2026-11-01T00:03:20.000000+00:00"
    assert ids(fetch(client, f"{LOGS}?sub_type=rare&cursor={page['next']}")) == [make_item(5).id]


@pytest.mark.parametrize(
    "uuid_format",
    [
        "{0}",
        "{0}/",
        "00000000-0000-4000-8000-000000000001",
        "00000000-0000-4000-8000-000000000001/",
        "urn:uuid:00000000-0000-4000-8000-000000000001",
        "%7B00000000-0000-4000-8000-000000000001%7D",
        "00000000000040008000000000000001",
    ],
)
def test_log_accepts_any_uuid_format(uuid_format: str) -> None:
    store([make_item(1)])
    assert fetch(program(), f"{LOGS}/{uuid_format.format(make_item(1).id)}")["id"] == make_item(1).id


@pytest.mark.parametrize(
    ("text", "kind", "payload"),
    [('{"a": [1, 2.5]}', "json", {"a": [1, 2.5]}), ('{"a": 1}', "text", '{"a": 1}'), (None, None, None)],
)
def test_log_has_every_field(text: str | None, kind: str | None, payload: Any) -> None:
    packed = documents.pack(documents.Document(extra='{"trace":"x"}', texts={"url": "/long" * 300}))
    item = make_item(1, payload=text, payload_type=kind, document=packed, sender="AIDA", url="/long…")
    item.expires_at = datetime(2100, 1, 1, tzinfo=UTC)
    store([item])
    log = fetch(program(), f"{LOGS}/{item.id}")
    assert log["payload"] == payload
    assert log["payload_type"] == kind
    assert log["extra"] == {"trace": "x"}
    assert log["url"] == "/long" * 300
    assert (log["sender"], log["status"], log["damage"]) == ("AIDA", "OK", None)
    assert log["expires_at"] == "2100-01-01T00:00:00.000000+00:00"
    assert log["received_at"] == "2026-11-01T00:00:01.000000+00:00"


def test_head_and_trailing_slash_do_not_redirect() -> None:
    store([make_item(1)])
    client = program()
    for address in (LOGS, f"{LOGS}/", f"{LOGS}/{make_item(1).id}", f"{LOGS}/{make_item(1).id}/"):
        assert client.get(address).status_code == 200
        assert client.head(address).status_code == 200


def test_response_is_not_cached() -> None:
    assert "no-store" in program().get(LOGS)["Cache-Control"]
    assert len(logs()) == 0


@pytest.mark.parametrize(("size", "queries", "read_units"), [(0, 1, 1), (20_000, 1, 2.5), (900_000, 2, 121)])
def test_cost_of_a_log_by_id_is_measured(size: int, queries: int, read_units: float) -> None:
    """The size compresses by a quarter. A part is read consistently, at 4 KB a unit, and the item at 8 KB.

    Half a unit is the item of a rejection, which is missing.
    """
    text = noise(size)
    item = make_item(1, payload_size=size, document=documents.pack({"payload": text}) if text else None)
    item.document = parts.save(item)
    item.save()
    page = fetch(program(), f"{LOGS}?q={item.id}")
    assert ids(page) == [item.id]
    assert (page["examined"], page["queries"]) == (1, queries)
    assert page["read_units"] == pytest.approx(read_units, rel=0.1)


@pytest.mark.parametrize("query", ["q=" + "0" * 32, "around={}"])
def test_cost_of_a_page_has_every_request(query: str) -> None:
    store(make_item(n) for n in range(3))
    with counted_calls() as calls:
        page = fetch(program(), f"{LOGS}?{query.format(make_item(1).id)}")
    # One GetItem reads the token.
    assert page["queries"] == calls["GetItem"] - 1 + calls["BatchGetItem"] + calls["Query"]
    # A BatchGetItem reads the log and the rejection of an id.
    assert page["read_units"] == 0.5 * (page["queries"] + calls["BatchGetItem"])
