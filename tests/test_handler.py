"""The Lambda function with events in AWS's own shape: what is stored, answered and sent on."""

import uuid
from collections.abc import Callable
from operator import itemgetter
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ingest.handler import lambda_handler
from logs.models import LogItem
from logs.storage import documents, dynamodb
from tests.conftest import free_port
from tests.factories import make_body, make_event, make_record
from tests.items import logs
from tests.queues import Queues, attribute_texts

pytest_plugins = ["tests.sqs_server"]
pytestmark = pytest.mark.usefixtures("logs_table")

HEX = "0123456789abcdef0123456789abcdef"
NONE_FAILED: dict[str, Any] = {"batchItemFailures": []}


def failed(*records: dict[str, Any]) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in records]}


def test_a_good_record_is_stored_and_gives_no_failures(queues: Queues) -> None:
    answer = lambda_handler(make_event(make_body(id=HEX, payload="hello")), None)

    assert answer == NONE_FAILED
    assert LogItem.get(HEX).payload == "hello"
    assert queues.dead_letters() == []


def test_an_empty_batch_gives_no_failures() -> None:
    assert lambda_handler({"Records": []}, None) == NONE_FAILED


def test_a_batch_over_ten_is_stored_whole() -> None:
    ids = [uuid.uuid4().hex for _ in range(25)]

    answer = lambda_handler(make_event(*[make_body(id=log_id) for log_id in ids]), None)

    assert answer == NONE_FAILED
    assert {item.id for item in logs()} == set(ids)


def test_a_message_delivered_twice_is_one_log() -> None:
    record = make_record()

    first = lambda_handler(make_event(record), None)
    again = lambda_handler(make_event(record, record), None)

    assert first == again == NONE_FAILED
    assert len(logs()) == 1


@pytest.mark.parametrize(
    ("body", "code", "fields"),
    [
        ("not json", "not_json", "body"),
        ("[]", "not_an_object", "body"),
        (make_body(account_id=..., type=""), "invalid_fields", "account_id,type"),
    ],
)
def test_a_wrong_message_is_a_dead_letter_and_its_neighbours_are_stored(
    queues: Queues, body: str, code: str, fields: str
) -> None:
    answer = lambda_handler(make_event(make_body(), body, make_body()), None)

    assert answer == NONE_FAILED
    assert len(logs()) == 2
    [letter] = queues.dead_letters()
    assert letter["Body"] == body
    told = attribute_texts(letter)
    assert (told["error-code"], told["error-fields"]) == (code, fields)


def test_an_id_conflict_is_a_dead_letter_and_the_first_log_stays(queues: Queues) -> None:
    other = make_body(id=HEX, url="/two")

    first = lambda_handler(make_event(make_body(id=HEX, url="/one")), None)
    second = lambda_handler(make_event(other), None)

    assert first == second == NONE_FAILED
    assert LogItem.get(HEX).url == "/one"
    [letter] = queues.dead_letters()
    assert letter["Body"] == other
    assert attribute_texts(letter)["error-code"] == "id_conflict"
    assert attribute_texts(letter)["log-id"] == HEX


def test_a_dead_letter_sent_again_is_the_log_it_would_have_been(queues: Queues) -> None:
    wrong = make_record(make_body(type=""))
    lambda_handler(make_event(wrong), None)
    [letter] = queues.dead_letters()

    mended = make_record(make_body(), attributes=attribute_texts(letter))
    lambda_handler(make_event(mended, make_record(make_body(), attributes=attribute_texts(letter))), None)

    [item] = logs()
    assert item.id == attribute_texts(letter)["log-id"]
    assert item.created_at.isoformat(timespec="microseconds") == attribute_texts(letter)["log-sent-at"]


def test_with_the_engine_down_all_records_are_reported(engine_down: None, queues: Queues) -> None:
    records = [make_record(), make_record()]

    answer = lambda_handler(make_event(*records), None)

    by_id = itemgetter("itemIdentifier")
    assert sorted(answer["batchItemFailures"], key=by_id) == sorted(
        failed(*records)["batchItemFailures"], key=by_id
    )
    assert queues.dead_letters() == []


def test_with_the_engine_down_a_wrong_message_is_still_done(engine_down: None, queues: Queues) -> None:
    good = make_record()

    assert lambda_handler(make_event("not json", good), None) == failed(good)
    assert len(queues.dead_letters()) == 1


def test_a_throttled_record_alone_is_reported(refusing: Callable[[str], None]) -> None:
    refusing(HEX)
    throttled = make_record(make_body(id=HEX))

    assert lambda_handler(make_event(make_record(), throttled, make_record()), None) == failed(throttled)
    assert len(logs()) == 2


def test_without_a_dead_letter_queue_a_wrong_message_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOGS_DEAD_LETTER_QUEUE_URL", raising=False)
    wrong = make_record("not json")

    assert lambda_handler(make_event(wrong, make_record()), None) == failed(wrong)
    assert len(logs()) == 1


def test_a_dead_letter_that_cannot_be_sent_is_reported(
    queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGS_DEAD_LETTER_QUEUE_URL", f"{queues.dead_letter_url}-gone")
    wrong = make_record("not json")

    assert lambda_handler(make_event(wrong, make_record()), None) == failed(wrong)


def test_a_record_that_is_none_of_sqs_is_reported() -> None:
    strange = make_record()
    del strange["attributes"]["SentTimestamp"]

    assert lambda_handler(make_event(strange, make_record()), None) == failed(strange)


def test_the_sender_cannot_override_what_is_ours() -> None:
    lambda_handler(make_event(make_body(id=HEX, status="EVIL", received_at="1999", expires_at=1)), None)

    item = LogItem.get(HEX)
    assert item.status == "OK"
    assert item.expires_at is None
    assert documents.content(item)["extra"] == {"status": "EVIL", "received_at": "1999", "expires_at": 1}


@pytest.fixture
def engine_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the models talk to a closed port."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setattr(dynamodb.shared_connection(), "_client", None)


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that lets the store throttle one id."""
    connection = LogItem._get_connection().connection
    dispatch = connection.dispatch

    def refuse(log_id: str) -> None:
        def throttling(operation: str, arguments: dict[str, Any]) -> Any:
            if arguments.get("Item", {}).get("id") == {"S": log_id}:
                code = "ProvisionedThroughputExceededException"
                raise ClientError({"Error": {"Code": code, "Message": "slow down"}}, operation)
            return dispatch(operation, arguments)

        monkeypatch.setattr(connection, "dispatch", throttling)

    return refuse
