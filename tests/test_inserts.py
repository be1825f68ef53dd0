"""Batches of logs by INSERT statements: their requests, duplicates, failures, and engines without them."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ingest import handler
from ingest.handler import lambda_handler
from ingest.writing import groups, inserts, retry
from ingest.writing.batch import THREADS
from ingest.writing.inserts import MAX_STATEMENTS
from ingest.writing.result import Outcome
from logs.models import LogItem
from logs.storage.choices import ChoicesWriter
from logs.storage.digest_items import DigestItem
from tests.dynamodb_calls import counted_calls
from tests.factories import LOG_ID, NO_FAILURES, batch_item_failures, make_body, make_event, make_record
from tests.items import logs
from tests.lambda_context import LambdaContext
from tests.noise import noise
from tests.proxy import proxied
from tests.queues import Queues, attribute_texts

pytest_plugins = ["tests.sqs_server"]
pytestmark = pytest.mark.usefixtures("logs_table")

# Returns the error of a log's statement by the log's user, or None.
Errors = Callable[[str], str | None]


@pytest.fixture(autouse=True)
def _quiet_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the backoff, and leave out the requests for late items and for choices."""
    monkeypatch.setattr(retry, "FIRST_DELAY_SECONDS", 0.001)
    monkeypatch.setattr(retry, "MAX_DELAY_SECONDS", 0.01)
    monkeypatch.setattr(DigestItem.Meta, "table_name", "")
    monkeypatch.setattr(ChoicesWriter, "write", lambda self: None)
    monkeypatch.setattr(handler, "choices_writer", ChoicesWriter())


@pytest.fixture
def statement_errors(monkeypatch: pytest.MonkeyPatch) -> Callable[[Errors], list[int]]:
    """Return a function that lets statements fail. It returns the numbers of statements of each request."""
    connection = LogItem._get_connection().connection
    dispatch = connection.dispatch

    def install(error_of: Errors) -> list[int]:
        sizes: list[int] = []

        def fail(operation: str, arguments: dict[str, Any]) -> Any:
            if operation != "BatchExecuteStatement":
                return dispatch(operation, arguments)
            statements = arguments["Statements"]
            sizes.append(len(statements))
            errors = [error_of(user_of(statement)) for statement in statements]
            valid = [each for each, error in zip(statements, errors, strict=True) if not error]
            responses = (
                iter(dispatch(operation, {**arguments, "Statements": valid})["Responses"])
                if valid
                else iter(())
            )
            return {
                "Responses": [
                    {"Error": {"Code": error, "Message": "by the test"}} if error else next(responses)
                    for error in errors
                ]
            }

        monkeypatch.setattr(connection, "dispatch", fail)
        return sizes

    return install


def user_of(statement: dict[str, Any]) -> str:
    """Return the user of a statement's log."""
    names = statement["Statement"].partition("{")[2].split(", ")
    [index] = [index for index, name in enumerate(names) if name.startswith("'user_id'")]
    user: str = statement["Parameters"][index]["S"]
    return user


def make_records(number: int, **changes: Any) -> list[dict[str, Any]]:
    return [make_record(make_body(user_id=user, **changes)) for user in range(number)]


def test_batch_costs_one_request_for_25_logs() -> None:
    with counted_calls() as calls:
        assert lambda_handler(make_event(*make_records(60)), LambdaContext()) == NO_FAILURES
    assert len(logs()) == 60
    assert calls == {"BatchExecuteStatement": 3}


def test_single_log_costs_one_put() -> None:
    with counted_calls() as calls:
        lambda_handler(make_event(make_record()), LambdaContext())
    assert calls == {"PutItem": 1}


def test_inserted_log_equals_a_put_log(monkeypatch: pytest.MonkeyPatch) -> None:
    record = make_record(
        make_body(
            payload="é" * 2_000,
            user_name="Ann",
            object_type="invoice",
            object_id="1",
            url='/"\\\u2028\x00\U0001f600',
        )
    )
    lambda_handler(make_event(record), LambdaContext())
    [item] = logs()
    item.delete()
    lambda_handler(make_event(record, make_record()), LambdaContext())
    assert LogItem.get(item.id).serialize() == item.serialize()
    assert isinstance(item.serialize()["document"]["B"], bytes)


def test_duplicates_cost_one_consistent_read(queues: Queues) -> None:
    stored, sent_again = make_records(4), make_records(4)
    lambda_handler(make_event(*stored), LambdaContext())
    with counted_calls() as calls:
        response = lambda_handler(make_event(*stored, *sent_again), LambdaContext())
    assert response == NO_FAILURES
    assert calls == {"BatchExecuteStatement": 1, "BatchGetItem": 1}
    assert len(logs()) == 8
    assert queues.dead_letters() == []


def test_conflict_in_a_batch_is_dead_lettered_alone(queues: Queues) -> None:
    lambda_handler(make_event(make_body(id=LOG_ID, url="/one")), LambdaContext())
    other = make_body(id=LOG_ID, url="/two")
    assert lambda_handler(make_event(*make_records(3), other), LambdaContext()) == NO_FAILURES
    [dead_letter] = queues.dead_letters()
    assert (dead_letter["Body"], attribute_texts(dead_letter)["error-code"]) == (other, "id_conflict")
    assert len(logs()) == 4


def test_repeated_id_is_in_one_statement(statement_errors: Any, queues: Queues) -> None:
    sizes = statement_errors(lambda user: None)
    record = make_record()
    other = make_body(id=LOG_ID)
    conflict = make_body(id=LOG_ID, url="/two")
    response = lambda_handler(make_event(record, record, record, other, conflict), LambdaContext())
    assert response == NO_FAILURES
    assert sizes == [2]
    assert {item.url for item in logs()} == {"/login"}
    assert [each["Body"] for each in queues.dead_letters()] == [conflict]


def test_throttled_statements_are_retried_alone(statement_errors: Any) -> None:
    attempts: Counter[str] = Counter()

    def throttle(user: str) -> str | None:
        attempts[user] += 1
        return "ThrottlingError" if user in {"2", "5"} and attempts[user] < 3 else None

    sizes = statement_errors(throttle)
    assert lambda_handler(make_event(*make_records(10)), LambdaContext(60)) == NO_FAILURES
    assert sizes == [10, 2, 2]
    assert len(logs()) == 10


@pytest.mark.parametrize(
    "code", ["ProvisionedThroughputExceeded", "InternalServerError", "RequestLimitExceeded"]
)
def test_lasting_throttling_fails_its_record_only(statement_errors: Any, code: str) -> None:
    statement_errors(lambda user: code if user == "1" else None)
    records = make_records(3)
    response = lambda_handler(make_event(*records), LambdaContext(16, seconds_per_call=1))
    assert response == batch_item_failures(records[1])
    assert {item.user_id for item in logs()} == {"0", "2"}


def test_refused_statement_is_put_alone(statement_errors: Any) -> None:
    statement_errors(lambda user: "ValidationError" if user == "1" else None)
    with counted_calls() as calls:
        assert lambda_handler(make_event(*make_records(3)), LambdaContext()) == NO_FAILURES
    assert calls["PutItem"] == 1
    assert len(logs()) == 3


def test_refused_request_puts_each_log() -> None:
    """The role may lack the permission for statements while a deployment changes it."""

    def deny(operation: str) -> str | None:
        return "AccessDeniedException" if operation == "BatchExecuteStatement" else None

    with proxied(deny):
        assert lambda_handler(make_event(*make_records(3)), LambdaContext()) == NO_FAILURES
    assert len(logs()) == 3
    assert inserts.ENGINE.has_inserts


@pytest.mark.parametrize("size", [2, 10, 1_000])
def test_batch_item_failures_are_exact_with_inserts(statement_errors: Any, size: int) -> None:
    statement_errors(lambda user: "ThrottlingError" if int(user) % 7 == 1 else None)
    records = make_records(size)
    response = lambda_handler(make_event(*records), None)
    expected = {record["messageId"] for number, record in enumerate(records) if number % 7 == 1}
    assert {item["itemIdentifier"] for item in response["batchItemFailures"]} == expected
    assert len(logs()) == size - len(expected)


def test_bug_in_a_group_fails_its_records_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    insert = inserts.insert

    def insert_with_bug(items: Any, deadline: Any) -> Any:
        if items[0].user_id == "0":
            raise RuntimeError("a bug")
        return insert(items, deadline)

    monkeypatch.setattr(inserts, "insert", insert_with_bug)
    records = make_records(MAX_STATEMENTS + 5)
    response = lambda_handler(make_event(*records), LambdaContext())
    assert response == batch_item_failures(*records[:MAX_STATEMENTS])
    assert len(logs()) == 5
    [reason] = {record.__dict__["reason"] for record in caplog.records if record.message == "failed"}
    assert reason.startswith("insert_with_bug (")


def test_engine_without_statements_gets_puts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inserts.ENGINE, "has_inserts", True)  # restored at the end
    operations: Counter[str] = Counter()

    def lack(operation: str) -> str | None:
        operations[operation] += 1
        return "UnknownOperationException" if operation == "BatchExecuteStatement" else None

    with proxied(lack):
        for _ in range(2):
            assert lambda_handler(make_event(*make_records(3)), LambdaContext()) == NO_FAILURES
    assert len(logs()) == 6
    assert (operations["BatchExecuteStatement"], operations["PutItem"]) == (1, 6)


def test_lost_response_counts_as_duplicates(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = LogItem._get_connection().connection
    dispatch = connection.dispatch
    calls: Counter[str] = Counter()

    def lose_first(operation: str, arguments: dict[str, Any]) -> Any:
        calls[operation] += 1
        response = dispatch(operation, arguments)
        if operation == "BatchExecuteStatement" and calls[operation] == 1:
            raise ClientError({"Error": {"Code": "InternalServerError", "Message": "lost"}}, operation)
        return response

    monkeypatch.setattr(connection, "dispatch", lose_first)
    assert lambda_handler(make_event(*make_records(5)), LambdaContext()) == NO_FAILURES
    assert calls == {"BatchExecuteStatement": 2, "BatchGetItem": 1}
    assert len(logs()) == 5


def test_log_with_parts_is_written_alone() -> None:
    large = make_body(id=LOG_ID, payload=noise(900_000))
    with counted_calls() as calls:
        assert lambda_handler(make_event(*make_records(2), large), LambdaContext()) == NO_FAILURES
    assert calls["BatchExecuteStatement"] == 1
    assert calls["PutItem"] >= 2
    assert len(logs()) == 3


def test_large_messages_are_in_several_groups() -> None:
    records = make_records(5, payload="x" * (groups.MAX_CHARACTERS // 2))
    with counted_calls() as calls:
        assert lambda_handler(make_event(*records), LambdaContext()) == NO_FAILURES
    assert calls == {"BatchExecuteStatement": 2, "PutItem": 1}
    assert len(logs()) == 5


def test_groups_are_written_in_parallel(monkeypatch: pytest.MonkeyPatch) -> None:
    barrier = threading.Barrier(THREADS, timeout=10)

    def insert(items: Any, deadline: Any) -> Any:
        if len(items) == MAX_STATEMENTS:
            barrier.wait()  # raises BrokenBarrierError unless all threads arrive
        return [Outcome.WRITTEN] * len(items)

    monkeypatch.setattr(inserts, "insert", insert)
    records = make_records(THREADS * MAX_STATEMENTS + 2)
    assert lambda_handler(make_event(*records), LambdaContext(600)) == NO_FAILURES
