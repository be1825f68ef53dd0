"""Rejections in the logs table: why a message with an id is no log."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from ingest.handler import lambda_handler
from logs import reader
from logs.models import LogItem
from logs.storage import rejections
from logs.storage.rejections import RejectedItem
from tests.factories import LOG_ID, NO_FAILURES, make_body, make_event, make_record
from tests.items import logs
from tests.lambda_context import LambdaContext
from tests.proxy import disconnect
from tests.queues import Queues

pytest_plugins = ["tests.sqs_server"]
pytestmark = pytest.mark.usefixtures("logs_table", "each_way_of_writing")

SECRET = "SECRET"


def stored() -> RejectedItem:
    """Return the only rejection in the table."""
    [item] = RejectedItem.scan(RejectedItem.error_code.exists())
    return item


def test_rejected_message_with_an_id_is_stored(queues: Queues) -> None:
    begin = datetime.now(UTC)
    body = make_body(id=LOG_ID, type="", url=[SECRET], payload=SECRET, extra=SECRET)

    assert lambda_handler(make_event(make_body(), body), LambdaContext()) == NO_FAILURES

    item = stored()
    assert item.id == f"rejected#{LOG_ID}"
    assert (item.error_code, sorted(item.error_fields)) == ("invalid_fields", ["type", "url"])
    assert begin <= item.rejected_at <= datetime.now(UTC)
    assert timedelta(days=13) < item.expires_at - datetime.now(UTC) <= timedelta(days=14)
    assert SECRET not in json.dumps(item.serialize())
    assert len(queues.dead_letters()) == 1


def test_rejection_is_no_log_and_in_no_index(queues: Queues) -> None:
    lambda_handler(make_event(make_body(id=LOG_ID, type="")), LambdaContext())

    assert logs() == []
    assert reader.get(LOG_ID) is None
    assert reader.get(rejections.item_id(LOG_ID)) is None
    keys = {"account_id", "type", "account_id#type", "status", "user_key", "object_key", "created_at"}
    assert not keys & stored().serialize().keys()
    assert list(LogItem.sorting_index.query("OK")) == []


@pytest.mark.parametrize("body", ["not json", "[]", make_body(type=""), make_body(id="7", type="")])
def test_rejected_message_without_an_id_is_not_stored(queues: Queues, body: str) -> None:
    lambda_handler(make_event(body), LambdaContext())

    assert len(queues.dead_letters()) == 1
    assert list(RejectedItem.scan()) == []


def test_redriven_message_keeps_its_id(queues: Queues) -> None:
    lambda_handler(make_event(make_record("not json", attributes={"log-id": LOG_ID})), LambdaContext())

    assert (stored().id, stored().error_code) == (rejections.item_id(LOG_ID), "not_json")


def test_conflict_is_stored_beside_the_log(queues: Queues) -> None:
    for url in ("/one", "/two"):
        lambda_handler(make_event(make_body(), make_body(id=LOG_ID, url=url)), LambdaContext())

    assert (stored().id, stored().error_code) == (rejections.item_id(LOG_ID), "id_conflict")
    assert LogItem.get(LOG_ID).url == "/one"


def test_later_rejection_replaces_the_first(queues: Queues) -> None:
    for change in ({"type": ""}, {"url": ...}):
        lambda_handler(make_event(make_body(id=LOG_ID, **change)), LambdaContext())

    assert list(stored().error_fields) == ["url"]


def test_unstored_rejection_is_dead_lettered(
    queues: Queues, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    disconnect(monkeypatch)

    assert lambda_handler(make_event(make_body(id=LOG_ID, type="")), LambdaContext()) == NO_FAILURES

    assert len(queues.dead_letters()) == 1
    [warning] = [record for record in caplog.records if record.message == "rejection not stored"]
    assert (warning.__dict__["log_id"], warning.__dict__["error"]) == (LOG_ID, "EndpointConnectionError")


def test_rejection_is_not_stored_without_time(queues: Queues, caplog: pytest.LogCaptureFixture) -> None:
    body = make_body(id=LOG_ID, type="")

    assert lambda_handler(make_event(body), LambdaContext(5)) == NO_FAILURES

    assert len(queues.dead_letters()) == 1
    assert "rejection not stored" in caplog.text


def test_undelivered_dead_letter_has_no_rejection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOGS_DEAD_LETTER_QUEUE_URL", raising=False)

    lambda_handler(make_event(make_body(id=LOG_ID, type="")), LambdaContext())

    assert list(RejectedItem.scan()) == []
