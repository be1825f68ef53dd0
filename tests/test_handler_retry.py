"""Transient errors are retried until the deadline. All other failures become batch item failures."""

import gc
import json
import time
import tracemalloc
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest import handler
from ingest.handler import lambda_handler
from ingest.writing import items, retry
from ingest.writing.batch import THREADS
from logs.storage.choices import ChoicesWriter
from tests.factories import NO_FAILURES, batch_item_failures, make_body, make_event, make_record
from tests.items import logs
from tests.lambda_context import LambdaContext
from tests.proxy import proxied
from tests.queues import Queues

pytest_plugins = ["tests.sqs_server"]
pytestmark = pytest.mark.usefixtures("logs_table")


@pytest.fixture(autouse=True)
def _short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_DELAY_SECONDS", 0.001)
    monkeypatch.setattr(retry, "MAX_DELAY_SECONDS", 0.01)
    monkeypatch.setattr(handler, "choices_writer", ChoicesWriter())


@pytest.mark.parametrize(
    "code", ["ProvisionedThroughputExceededException", "ThrottlingException", "InternalServerError"]
)
def test_transient_error_is_retried(code: str) -> None:
    attempts: Counter[str] = Counter()

    def throttle_four_times(operation: str) -> str | None:
        attempts[operation] += 1
        return code if operation == "PutItem" and attempts[operation] <= 4 else None

    with proxied(throttle_four_times):
        response = lambda_handler(make_event(make_record()), LambdaContext(60))
    assert response == NO_FAILURES
    assert attempts["PutItem"] == 5
    assert len(logs()) == 1


def test_lasting_error_is_a_batch_item_failure() -> None:
    first, second = make_record(make_body(payload="first" * 300)), make_record()

    def throttle(operation: str) -> str | None:
        return "ThrottlingException" if operation == "PutItem" else None

    with proxied(throttle):
        response = lambda_handler(make_event(first), LambdaContext(12, seconds_per_call=1))
    assert response == batch_item_failures(first)
    assert lambda_handler(make_event(first, second), LambdaContext(60)) == NO_FAILURES
    assert len(logs()) == 2


def test_permanent_error_is_not_retried() -> None:
    attempts: Counter[str] = Counter()

    def deny(operation: str) -> str | None:
        attempts[operation] += 1
        return "AccessDeniedException" if operation == "PutItem" else None

    record = make_record()
    with proxied(deny):
        response = lambda_handler(make_event(record), LambdaContext(60))
    assert response == batch_item_failures(record)
    assert attempts["PutItem"] == 1


@pytest.mark.usefixtures("each_way_of_writing")
def test_records_after_the_deadline_fail(caplog: pytest.LogCaptureFixture) -> None:
    records = [make_record() for _ in range(40)]
    response = lambda_handler(make_event(*records), LambdaContext(30, seconds_per_call=1))
    failed = {item["itemIdentifier"] for item in response["batchItemFailures"]}
    assert 0 < len(failed) < 40
    assert len(logs()) == 40 - len(failed)
    assert {record.__dict__["error"] for record in caplog.records if record.message == "failed"} == {
        "OutOfTime"
    }


@pytest.mark.usefixtures("conditional_puts")
@pytest.mark.parametrize("size", [1, 10, 1_000])
def test_batch_item_failures_are_exact_at_any_size(
    size: int, queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = items.put
    now = datetime.now(UTC)
    records = [make_record(make_body(user_id=number), sent_at=now) for number in range(size)]

    def put_with_bug(item: Any, deadline: Any) -> Any:
        if int(item.user_id) % 7 == 3:
            raise RuntimeError("a bug")
        return put(item, deadline)

    monkeypatch.setattr(items, "put", put_with_bug)
    response = lambda_handler(make_event(*records), LambdaContext(600))
    expected = {record["messageId"] for number, record in enumerate(records) if number % 7 == 3}
    assert {item["itemIdentifier"] for item in response["batchItemFailures"]} == expected
    assert len(logs()) == size - len(expected)


@pytest.mark.usefixtures("conditional_puts")
def test_batch_of_ten_thousand_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    stored: Counter[str] = Counter()

    def put(item: Any, deadline: Any) -> Any:
        stored[item.id] += 1
        return items.Outcome.WRITTEN

    monkeypatch.setattr(items, "put", put)
    record = make_record(sent_at=datetime.now(UTC))
    records = [{**record, "messageId": str(number)} for number in range(10_000)]
    assert lambda_handler(make_event(*records), LambdaContext(600)) == NO_FAILURES
    assert len(stored) == 10_000


@pytest.mark.usefixtures("conditional_puts")
def test_records_are_written_in_parallel(monkeypatch: pytest.MonkeyPatch) -> None:
    active = maximum = 0

    def put(item: Any, deadline: Any) -> Any:
        nonlocal active, maximum
        active += 1
        maximum = max(maximum, active)
        time.sleep(0.05)
        active -= 1
        return items.Outcome.WRITTEN

    monkeypatch.setattr(items, "put", put)
    lambda_handler(make_event(*[make_record() for _ in range(THREADS * 4)]), LambdaContext(600))
    assert maximum == THREADS


@pytest.mark.usefixtures("each_way_of_writing")
def test_metrics_count_the_outcomes_of_a_batch(queues: Queues, capsys: pytest.CaptureFixture[str]) -> None:
    record = make_record()
    lambda_handler(make_event(record, record, "not json"), LambdaContext(60))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [metrics] = [line for line in lines if "_aws" in line]
    [group] = metrics["_aws"]["CloudWatchMetrics"]
    assert group["Namespace"] == "Logsite"
    assert group["Dimensions"] == [["service"]]
    assert metrics["service"] == "logsite-writer"
    values = {metric["Name"]: metrics[metric["Name"]] for metric in group["Metrics"]}
    assert {name: value[0] for name, value in values.items() if name != "oldest_age"} == {
        "messages": 3,
        "written": 1,
        "duplicate": 1,
        "dead_lettered": 1,
        "failed": 0,
    }
    assert values["oldest_age"][0] > 0


def test_memory_is_flat_over_a_hundred_batches() -> None:
    def batch() -> None:
        lambda_handler(make_event(*[make_record() for _ in range(10)]), LambdaContext(60))

    handler.logger.setLevel("CRITICAL")  # pytest's report stores every line
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
        growth = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
        handler.logger.setLevel("INFO")
    assert growth < 200_000
