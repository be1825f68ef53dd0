"""`q` with the shape of an id: the log with it, or the logs of a request or trace."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from logs.filters import LogFilter
from logs.models import LogItem
from logs.plan import make_plan
from logs.reader import read_page
from logs.request_ids import matches
from logs.storage import rejections
from logs.storage.rejections import RejectedItem
from tests.api import fetch, program
from tests.dynamodb_calls import counted_calls
from tests.items import make_item, store

ID = uuid.UUID("4bf92f35-77b3-4da6-a3ce-929d0e0e4736")
SPELLINGS = [ID.hex, str(ID), str(ID).upper(), f"{{{ID}}}", ID.urn]
NOTE = "No log has this ID. Logs with this request ID or trace ID:"


@pytest.fixture
def logs(logs_table: None) -> Iterator[None]:
    """Store logs that name the id in several places."""
    store(
        [
            make_item(1, request_id=str(ID)),
            make_item(2, request_id=ID.hex),
            make_item(3, trace_id=ID.hex),
            make_item(4, payload=json.dumps({"id": str(ID)}), payload_type="json", payload_size=40),
            make_item(5, url=f"/orders/{ID}"),
            make_item(6, request_id=f"{ID}-1"),
            make_item(7, request_id=str(ID).upper()),
        ]
    )
    yield
    for item in RejectedItem.scan(RejectedItem.error_code.exists()):
        item.delete()


def ids(*numbers: int) -> list[str]:
    return [make_item(number).id for number in numbers]


@pytest.mark.parametrize("text", SPELLINGS)
def test_unknown_id_finds_requests_and_traces(logs: None, text: str) -> None:
    page = fetch(program(), f"/api/logs?q={text}")

    expected = ids(7, 3, 2, 1) if text == str(ID).upper() else ids(3, 2, 1)
    assert [item["id"] for item in page["items"]] == expected
    assert page["note"] == NOTE
    assert page["rejected"] is None
    assert page["sentence"] == f"All logs, newest first, filtered by request ID or trace ID {text}."
    plan = make_plan(LogFilter(q=text))
    assert {item.id for item in LogItem.scan() if matches(item, plan.filter.request_ids)} == set(expected)


def test_page_says_what_it_shows_instead(logs: None, viewer_client: Client) -> None:
    page = viewer_client.get(f"/admin/logs/log/?q={ID}").content.decode()

    assert f'<p class="logs-note">{NOTE}</p>' in page
    assert "logs-rejection" not in page
    assert page.count('class="field-time"') == 3


def test_other_text_has_no_note(logs: None, viewer_client: Client) -> None:
    assert fetch(program(), f"/api/logs?q={ID.hex[:31]}")["note"] is None
    assert "logs-note" not in viewer_client.get(f"/admin/logs/log/?q={ID.hex[:31]}").content.decode()


def test_id_of_a_log_costs_one_request(logs: None, viewer_client: Client) -> None:
    item = make_item(1)
    with counted_calls() as calls:
        page = fetch(viewer_client, f"/api/logs?q={item.id}")
    assert [each["id"] for each in page["items"]] == [item.id]
    assert page["note"] is None
    assert calls["BatchGetItem"] == 2, "session and user, then the log"
    assert calls["Query"] == 0
    response = viewer_client.get(f"/admin/logs/log/?q={item.id}")
    assert response.headers["Location"].endswith(f"/{item.id}/change/")


def test_search_for_an_id_keeps_its_other_filters(logs: None) -> None:
    page = read_page(make_plan(LogFilter(q=str(ID), sub_type=("other",))), None, 10)
    assert page.items == []
    page = read_page(make_plan(LogFilter(q=str(ID), account_id=("7",), type=("login",))), None, 2)
    assert [item.id for item in page.items] == ids(3, 2)
    assert page.next is not None


def test_rejected_message_is_shown(logs: None, viewer_client: Client) -> None:
    rejections.put(ID.hex, "invalid_fields", ["account_id", "<b>\u202e"])

    response = fetch(program(), f"/api/logs?q={ID}")
    page = viewer_client.get(f"/admin/logs/log/?q={ID}").content.decode()

    rejected = response["rejected"]
    assert rejected["error_code"] == "invalid_fields"
    assert rejected["error_fields"] == ["account_id", "<b>\u202e"]
    assert datetime.fromisoformat(rejected["rejected_at"]).tzinfo
    assert len(response["items"]) == 3
    text = "A message with this ID was rejected: invalid_fields (account_id, &lt;b&gt;\\u202e), "
    assert text in page
    assert "UTC. See the dead-letter queue." in page


def test_rejection_is_shown_beside_the_log_of_its_id(logs: None, viewer_client: Client) -> None:
    rejections.put(make_item(1).id, "id_conflict", [])

    response = fetch(program(), f"/api/logs?q={make_item(1).id}")
    page = viewer_client.get(f"/admin/logs/log/?q={make_item(1).id}", follow=True).content.decode()

    assert response["rejected"]["error_code"] == "id_conflict"
    assert "A message with this ID was rejected: id_conflict, " in page


def test_expired_rejection_is_gone(logs: None) -> None:
    rejections.put(ID.hex, "invalid_fields", [])
    item = RejectedItem.get(rejections.item_id(ID.hex))
    item.expires_at = datetime.now(UTC) - timedelta(seconds=1)
    item.save()

    assert fetch(program(), f"/api/logs?q={ID}")["rejected"] is None
