"""What may pass is tried again while the invocation has time; the rest, and what has no turn, is reported."""

import gc
import json
import time
import tracemalloc
from collections import Counter
from typing import Any

import pytest

from ingest import handler
from ingest.handler import lambda_handler
from ingest.writing import items as writer
from ingest.writing import retry as patience
from ingest.writing.batch import THREADS
from logs.storage.choices import ChoicesWriter
from tests.factories import make_body, make_event, make_record
from tests.items import logs
from tests.proxy import proxied
from tests.queues import Queues

pytest_plugins = ["tests.sqs_server"]
pytestmark = pytest.mark.usefixtures("logs_table")
NONE_FAILED: dict[str, Any] = {"batchItemFailures": []}


class Context:
    """A Lambda context with so many seconds, of which each question takes one."""

    aws_request_id = "request"
    function_name = "writer"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:writer"

    def __init__(self, seconds: float, a_question: float = 0.0) -> None:
        self.seconds = seconds
        self.a_question = a_question

    def get_remaining_time_in_millis(self) -> int:
        self.seconds -= self.a_question
        return int(self.seconds * 1000)


@pytest.fixture(autouse=True)
def _impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(patience, "MAX_PAUSE", 0.01)
    monkeypatch.setattr(handler, "registry", ChoicesWriter())


@pytest.mark.parametrize(
    "code", ["ProvisionedThroughputExceededException", "ThrottlingException", "InternalServerError"]
)
def test_what_passes_in_time_fails_nothing(code: str) -> None:
    tries: Counter[str] = Counter()

    def for_a_while(operation: str) -> str | None:
        tries[operation] += 1
        return code if operation == "PutItem" and tries[operation] <= 4 else None

    with proxied(for_a_while):
        answer = lambda_handler(make_event(make_record()), Context(60))
    assert answer == NONE_FAILED
    assert tries["PutItem"] == 5
    assert len(logs()) == 1


def test_what_does_not_pass_is_reported_item_by_item() -> None:
    bad, good = make_record(make_body(payload="bad" * 300)), make_record()

    def refuse(operation: str) -> str | None:
        return "ThrottlingException" if operation == "PutItem" else None

    with proxied(refuse):
        answer = lambda_handler(make_event(bad), Context(12, a_question=1))
    assert answer == {"batchItemFailures": [{"itemIdentifier": bad["messageId"]}]}
    assert lambda_handler(make_event(bad, good), Context(60)) == NONE_FAILED
    assert len(logs()) == 2


def test_what_no_time_helps_is_not_tried_again() -> None:
    tries: Counter[str] = Counter()

    def refuse(operation: str) -> str | None:
        tries[operation] += 1
        return "AccessDeniedException" if operation == "PutItem" else None

    record = make_record()
    with proxied(refuse):
        answer = lambda_handler(make_event(record), Context(60))
    assert answer == {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
    assert tries["PutItem"] == 1


def test_what_has_no_turn_in_time_comes_again(caplog: pytest.LogCaptureFixture) -> None:
    records = [make_record() for _ in range(40)]
    answer = lambda_handler(make_event(*records), Context(30, a_question=1))
    failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
    assert 0 < len(failed) < 40
    assert len(logs()) == 40 - len(failed)
    assert {record.__dict__["error"] for record in caplog.records if record.message == "failed"} == {
        "OutOfTime"
    }


@pytest.mark.parametrize("size", [1, 10, 1_000])
def test_batches_of_any_size_are_stored_and_only_the_right_ones_fail(
    size: int, queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = writer.put
    records = [make_record(make_body(user_id=number)) for number in range(size)]

    def failing(item: Any) -> Any:
        if int(item.user_id) % 7 == 3:
            raise RuntimeError("a bug")
        return put(item)

    monkeypatch.setattr(writer, "put", failing)
    answer = lambda_handler(make_event(*records), Context(600))
    expected = {record["messageId"] for number, record in enumerate(records) if number % 7 == 3}
    assert {item["itemIdentifier"] for item in answer["batchItemFailures"]} == expected
    assert len(logs()) == size - len(expected)


def test_a_batch_of_ten_thousand_goes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    stored: Counter[str] = Counter()

    def put(item: Any) -> Any:
        stored[item.id] += 1
        return writer.Outcome.WRITTEN

    monkeypatch.setattr(writer, "put", put)
    record = make_record()
    records = [{**record, "messageId": str(number)} for number in range(10_000)]
    assert lambda_handler(make_event(*records), Context(600)) == NONE_FAILED
    assert len(stored) == 10_000


def test_records_are_written_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    present = most = 0

    def put(item: Any) -> Any:
        nonlocal present, most
        present += 1
        most = max(most, present)
        time.sleep(0.05)
        present -= 1
        return writer.Outcome.WRITTEN

    monkeypatch.setattr(writer, "put", put)
    lambda_handler(make_event(*[make_record() for _ in range(THREADS * 4)]), Context(600))
    assert most == THREADS


def test_metrics_tell_what_became_of_a_batch(queues: Queues, capsys: pytest.CaptureFixture[str]) -> None:
    record = make_record()
    lambda_handler(make_event(record, record, "not json"), Context(60))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [told] = [line for line in lines if "_aws" in line]
    [group] = told["_aws"]["CloudWatchMetrics"]
    assert group["Namespace"] == "Logsite"
    assert group["Dimensions"] == [["service"]]
    assert told["service"] == "logsite-writer"
    names = {metric["Name"]: told[metric["Name"]] for metric in group["Metrics"]}
    assert {name: value[0] for name, value in names.items() if name != "oldest_age"} == {
        "messages": 3,
        "written": 1,
        "duplicate": 1,
        "dead_lettered": 1,
        "failed": 0,
    }
    assert names["oldest_age"][0] > 0


def test_memory_is_flat_over_a_hundred_batches() -> None:
    def batch() -> None:
        lambda_handler(make_event(*[make_record() for _ in range(10)]), Context(60))

    handler.logger.setLevel("CRITICAL")  # the tests' own reports keep every line
    for _ in range(10):
        batch()
    tracemalloc.start()
    try:
        batch()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(100):
            batch()
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
        handler.logger.setLevel("INFO")
    assert grown < 200_000
