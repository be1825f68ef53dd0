"""Late items: the marks of late logs in the table of digests, before the logs."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ingest import handler
from ingest.handler import lambda_handler
from ingest.writing import inserts, items, late_logs, retry
from logs import times
from logs.models import LogItem
from logs.storage import dynamodb, late_items
from logs.storage.choices import ChoicesWriter
from logs.storage.digest_items import DigestItem
from logs.storage.horizon import LATE_AFTER, MAX_WRITE
from tests.dynamodb_calls import recorded_calls
from tests.factories import LOG_ID, NO_FAILURES, batch_item_failures, make_body, make_event, make_record
from tests.items import logs, make_item
from tests.lambda_context import LambdaContext
from tests.noise import noise

pytestmark = pytest.mark.usefixtures("logs_table", "each_way_of_writing")

LATE = "2026-11-23T22:44:00.000000+00:00"

# Called with the operation and its arguments before each request. May raise the error of the request.
Spy = Callable[[str, dict[str, Any]], None]


@pytest.fixture(autouse=True)
def _empty_digests_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_DELAY_SECONDS", 0.001)
    monkeypatch.setattr(ChoicesWriter, "write", lambda self: None)
    monkeypatch.setattr(handler, "choices_writer", ChoicesWriter())
    with DigestItem.batch_write() as batch:
        for item in DigestItem.scan():
            batch.delete(item)


@pytest.fixture
def spy_on(monkeypatch: pytest.MonkeyPatch) -> Callable[[Spy], None]:
    """Return a function that lets a spy see each request."""
    connections = {LogItem._get_connection().connection, DigestItem._get_connection().connection}

    def install(spy: Spy) -> None:
        for connection in connections:
            dispatch = connection.dispatch

            def spied(operation: str, arguments: dict[str, Any], dispatch: Any = dispatch) -> Any:
                spy(operation, arguments)
                return dispatch(operation, arguments)

            monkeypatch.setattr(connection, "dispatch", spied)

    return install


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "by the test"}}, "BatchWriteItem")


def late_keys() -> set[tuple[str, str]]:
    """Return the keys of all late items."""
    return {(item.partition, item.sort) for item in DigestItem.scan()}


def make_recent_records(number: int) -> list[dict[str, Any]]:
    """Return records of logs that are on time."""
    return [make_record(make_body(user_id=user), sent_at=datetime.now(UTC)) for user in range(number)]


def write(*records: str | dict[str, Any]) -> dict[str, Any]:
    return lambda_handler(make_event(*records), LambdaContext())


def test_late_log_has_a_late_item(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = datetime.now(UTC)
    write(make_body(id=LOG_ID, created_at=LATE))

    [item] = DigestItem.scan()
    assert (item.partition, item.sort) == ("days", f"{LATE}#{LOG_ID}")
    assert begin <= times.parse(item.written_at) <= datetime.now(UTC)
    assert item.expires_at is None
    assert item.data is None


@pytest.mark.parametrize("number", [1, 3])
def test_log_on_time_has_none(number: int) -> None:
    write(*make_recent_records(number))

    assert len(logs()) == number
    assert late_keys() == set()


def test_late_item_expires_with_its_log() -> None:
    item = make_item(1, expires_at=datetime(2030, 1, 1, tzinfo=UTC))

    assert late_items.put([item]) == []

    [late] = DigestItem.scan()
    assert late.expires_at == item.expires_at


def test_log_is_late_after_two_minutes() -> None:
    now = datetime.now(UTC)
    ages = {LATE_AFTER: False, LATE_AFTER + timedelta(microseconds=1): True, timedelta(): False}

    for age, is_late in ages.items():
        assert late_items.is_late(make_item(1, created_at=now - age), now) is is_late


def test_sorting_shard_has_its_own_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items, "SORTING_SHARDS", 4)

    write(*[make_body(created_at=LATE, user_id=user) for user in range(20)])

    expected = {(item.status.replace("OK", "days"), f"{LATE}#{item.id}") for item in logs()}
    assert late_keys() == expected
    assert {partition for partition, _ in expected} == {f"days#{shard}" for shard in range(4)}


def test_late_items_come_first_and_in_few_requests() -> None:
    bodies = [make_body(created_at=LATE, user_id=user) for user in range(30)]
    with recorded_calls() as calls:
        assert write(*bodies) == NO_FAILURES

    assert len(late_keys()) == len(logs()) == 30
    assert calls[0][0] == "BatchWriteItem"
    if ("BatchExecuteStatement", None) in calls:
        assert [name for name, _ in calls].count("BatchWriteItem") == 2


def test_late_item_comes_before_parts(spy_on: Callable[[Spy], None]) -> None:
    operations: list[str] = []
    spy_on(lambda operation, arguments: operations.append(operation))

    write(make_body(created_at=LATE, payload=noise(900_000)))

    assert operations[0] == "BatchWriteItem"
    assert operations.count("PutItem") > 1


def test_log_without_its_late_item_fails_alone(spy_on: Callable[[Spy], None]) -> None:
    def deny(operation: str, arguments: dict[str, Any]) -> None:
        if operation == "BatchWriteItem":
            raise client_error("AccessDeniedException")

    spy_on(deny)
    late = make_record(make_body(created_at=LATE))

    assert write(late, *make_recent_records(2)) == batch_item_failures(late)
    assert len(logs()) == 2


def test_throttled_late_items_are_retried(spy_on: Callable[[Spy], None]) -> None:
    attempts: list[str] = []

    def throttle(operation: str, arguments: dict[str, Any]) -> None:
        attempts.append(operation)
        if attempts.count("BatchWriteItem") < 3 and operation == "BatchWriteItem":
            raise client_error("ThrottlingException")

    spy_on(throttle)

    assert write(*[make_body(created_at=LATE, user_id=user) for user in range(2)]) == NO_FAILURES
    assert len(late_keys()) == len(logs()) == 2


def test_unprocessed_late_items_are_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    batch_put = dynamodb.batch_put
    sizes: list[int] = []

    def process_one(model: Any, raw_items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        sizes.append(len(raw_items))
        return [*batch_put(model, raw_items[:1]), *raw_items[1:]]

    monkeypatch.setattr(dynamodb, "batch_put", process_one)

    assert write(*[make_body(created_at=LATE, user_id=user) for user in range(3)]) == NO_FAILURES
    assert len(late_keys()) == len(logs()) == 3
    assert sizes in ([3, 2, 1], [1, 1, 1])


def test_lasting_throttling_of_late_items_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamodb, "batch_put", lambda model, raw_items: raw_items)
    records = [make_record(make_body(created_at=LATE, user_id=user)) for user in range(2)]

    response = lambda_handler(make_event(*records), LambdaContext(14, seconds_per_call=1))

    assert response == batch_item_failures(*records)
    assert logs() == []


def test_missing_table_of_digests_stores_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DigestItem.Meta, "table_name", "missing")
    monkeypatch.setattr(DigestItem, "_connection", None)

    assert write(*[make_body(created_at=LATE, user_id=user) for user in range(2)]) == NO_FAILURES
    assert len(logs()) == 2


def test_empty_setting_costs_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DigestItem.Meta, "table_name", "")
    with recorded_calls() as calls:
        assert write(make_body(created_at=LATE)) == NO_FAILURES

    assert [operation for operation, _ in calls] == ["PutItem"]


def test_redelivery_puts_the_late_item_again() -> None:
    record = make_record(make_body(created_at=LATE))
    lambda_handler(make_event(record), LambdaContext())
    [first] = DigestItem.scan()

    lambda_handler(make_event(record, record), LambdaContext())

    [second] = DigestItem.scan()
    assert second.sort == first.sort
    assert second.written_at > first.written_at


def test_suspended_machine_puts_the_late_item_after_the_log(
    monkeypatch: pytest.MonkeyPatch, spy_on: Callable[[Spy], None]
) -> None:
    operations: list[str] = []
    now = datetime.now(UTC)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            is_written = {"PutItem", "BatchExecuteStatement"} & set(operations)
            return now + MAX_WRITE + timedelta(seconds=1) if is_written else now

    monkeypatch.setattr(late_logs, "datetime", Clock)
    spy_on(lambda operation, arguments: operations.append(operation))

    # Without INSERT statements, the second log would begin after the suspension.
    number = 2 if inserts.ENGINE.has_inserts else 1
    assert write(*make_recent_records(number)) == NO_FAILURES
    assert operations[0] != "BatchWriteItem"
    assert operations[-1] == "BatchWriteItem"
    assert len(late_keys()) == number
