"""The Lambda function: stored logs, batch item failures and dead letters."""

import uuid
from collections.abc import Callable
from operator import itemgetter
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ingest.handler import lambda_handler
from logs import times
from logs.models import LogItem
from logs.storage import documents
from tests.factories import (
    LOG_ID,
    NO_FAILURES,
    SENT_AT,
    batch_item_failures,
    make_body,
    make_event,
    make_record,
)
from tests.items import logs
from tests.proxy import disconnect
from tests.queues import Queues, attribute_texts

pytest_plugins = ["tests.sqs_server"]
pytestmark = pytest.mark.usefixtures("logs_table", "each_way_of_writing")


def test_valid_record_is_stored(queues: Queues) -> None:
    response = lambda_handler(make_event(make_body(id=LOG_ID, payload="hello")), None)

    assert response == NO_FAILURES
    assert LogItem.get(LOG_ID).payload == "hello"
    assert queues.dead_letters() == []


def test_empty_batch_has_no_failures() -> None:
    assert lambda_handler({"Records": []}, None) == NO_FAILURES


def test_batch_over_ten_is_stored() -> None:
    ids = [uuid.uuid4().hex for _ in range(25)]

    response = lambda_handler(make_event(*[make_body(id=log_id) for log_id in ids]), None)

    assert response == NO_FAILURES
    assert {item.id for item in logs()} == set(ids)


def test_redelivered_message_is_a_duplicate() -> None:
    record = make_record()

    first = lambda_handler(make_event(record), None)
    again = lambda_handler(make_event(record, record), None)

    assert first == again == NO_FAILURES
    assert len(logs()) == 1


@pytest.mark.parametrize(
    ("body", "code", "fields"),
    [
        ("not json", "not_json", "body"),
        ("[]", "not_an_object", "body"),
        (make_body(account_id=..., type=""), "invalid_fields", "account_id,type"),
    ],
)
def test_invalid_message_is_dead_lettered_alone(queues: Queues, body: str, code: str, fields: str) -> None:
    response = lambda_handler(make_event(make_body(), body, make_body()), None)

    assert response == NO_FAILURES
    assert len(logs()) == 2
    [dead_letter] = queues.dead_letters()
    assert dead_letter["Body"] == body
    attributes = attribute_texts(dead_letter)
    assert (attributes["error-code"], attributes["error-fields"]) == (code, fields)


def test_id_conflict_is_dead_lettered(queues: Queues) -> None:
    other = make_body(id=LOG_ID, url="/two")

    first = lambda_handler(make_event(make_body(id=LOG_ID, url="/one")), None)
    second = lambda_handler(make_event(other), None)

    assert first == second == NO_FAILURES
    assert LogItem.get(LOG_ID).url == "/one"
    [dead_letter] = queues.dead_letters()
    assert dead_letter["Body"] == other
    assert attribute_texts(dead_letter)["error-code"] == "id_conflict"
    assert attribute_texts(dead_letter)["log-id"] == LOG_ID
    assert attribute_texts(dead_letter)["conflict-sender"] == "AIDAIENQZJOLO23YVJ4VO"
    assert attribute_texts(dead_letter)["conflict-received-at"] == times.to_text(SENT_AT)


def test_redriven_dead_letter_has_its_first_identity(queues: Queues) -> None:
    invalid = make_record(make_body(type=""))
    lambda_handler(make_event(invalid), None)
    [dead_letter] = queues.dead_letters()

    redriven = [make_record(make_body(), attributes=attribute_texts(dead_letter)) for _ in range(2)]
    lambda_handler(make_event(*redriven), None)

    [item] = logs()
    assert item.id == attribute_texts(dead_letter)["log-id"]
    assert item.created_at.isoformat(timespec="microseconds") == attribute_texts(dead_letter)["log-sent-at"]


def test_unreachable_dynamodb_fails_all_records(unreachable_dynamodb: None, queues: Queues) -> None:
    records = [make_record(), make_record()]

    response = lambda_handler(make_event(*records), None)

    by_id = itemgetter("itemIdentifier")
    assert sorted(response["batchItemFailures"], key=by_id) == sorted(
        batch_item_failures(*records)["batchItemFailures"], key=by_id
    )
    assert queues.dead_letters() == []


def test_unreachable_dynamodb_still_dead_letters(unreachable_dynamodb: None, queues: Queues) -> None:
    valid = make_record()

    assert lambda_handler(make_event("not json", valid), None) == batch_item_failures(valid)
    assert len(queues.dead_letters()) == 1


def test_throttled_record_is_the_only_failure(throttle: Callable[[str], None]) -> None:
    throttle(LOG_ID)
    throttled = make_record(make_body(id=LOG_ID))

    assert lambda_handler(make_event(make_record(), throttled, make_record()), None) == batch_item_failures(
        throttled
    )
    assert len(logs()) == 2


def test_missing_dead_letter_queue_fails_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOGS_DEAD_LETTER_QUEUE_URL", raising=False)
    invalid = make_record("not json")

    assert lambda_handler(make_event(invalid, make_record()), None) == batch_item_failures(invalid)
    assert len(logs()) == 1


def test_failed_dead_letter_fails_the_record(queues: Queues, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGS_DEAD_LETTER_QUEUE_URL", f"{queues.dead_letter_url}-gone")
    invalid = make_record("not json")

    assert lambda_handler(make_event(invalid, make_record()), None) == batch_item_failures(invalid)


def test_record_without_sqs_attributes_fails() -> None:
    foreign = make_record()
    del foreign["attributes"]["SentTimestamp"]

    assert lambda_handler(make_event(foreign, make_record()), None) == batch_item_failures(foreign)


def test_sender_cannot_override_internal_attributes() -> None:
    lambda_handler(make_event(make_body(id=LOG_ID, status="EVIL", received_at="1999", expires_at=1)), None)

    item = LogItem.get(LOG_ID)
    assert item.status == "OK"
    assert item.expires_at is None
    assert documents.content(item).extra == {"status": "EVIL", "received_at": "1999", "expires_at": 1}


@pytest.fixture
def unreachable_dynamodb(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the models connect to a closed port."""
    disconnect(monkeypatch)


@pytest.fixture
def throttle(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that throttles the puts and the statements of one id."""
    connection = LogItem._get_connection().connection
    dispatch = connection.dispatch

    def throttle_id(log_id: str) -> None:
        def throttled(operation: str, arguments: dict[str, Any]) -> Any:
            if arguments.get("Item", {}).get("id") == {"S": log_id}:
                code = "ProvisionedThroughputExceededException"
                raise ClientError({"Error": {"Code": code, "Message": "slow down"}}, operation)
            statements = arguments.get("Statements", [])
            for index, statement in enumerate(statements):
                if {"S": log_id} in statement["Parameters"]:
                    others = {"Statements": statements[:index] + statements[index + 1 :]}
                    response = dispatch(operation, {**arguments, **others})
                    response["Responses"].insert(index, {"Error": {"Code": "ThrottlingError"}})
                    return response
            return dispatch(operation, arguments)

        monkeypatch.setattr(connection, "dispatch", throttled)

    return throttle_id
