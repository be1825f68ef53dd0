"""The handler's log lines: one per batch and problem, without values of messages."""

import io
import json
import logging
from typing import Any

import pytest

from ingest.handler import lambda_handler, logger
from ingest.writing import dead_letters
from tests.factories import LOG_ID, make_body, make_event, make_record
from tests.lambda_context import LambdaContext
from tests.proxy import disconnect
from tests.queues import Queues

pytest_plugins = ["tests.sqs_server"]
pytestmark = pytest.mark.usefixtures("logs_table")


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Return the stream of the handler's log lines."""
    stream = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)
    return stream


def log_lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_batch_line_has_counts(stream: io.StringIO) -> None:
    record = make_record()

    lambda_handler(make_event(record, record, make_record()), LambdaContext())

    [line] = log_lines(stream)
    counts = {name: line[name] for name in ("messages", "written", "duplicate", "dead_lettered", "failed")}
    assert counts == {"messages": 3, "written": 2, "duplicate": 1, "dead_lettered": 0, "failed": 0}
    assert line["request_id"] == LambdaContext.aws_request_id


def test_dead_letter_is_logged(stream: io.StringIO, queues: Queues) -> None:
    record = make_record(make_body(id=LOG_ID, type=""))

    lambda_handler(make_event(record), None)

    problem, batch = log_lines(stream)
    assert (problem["message_id"], problem["log_id"]) == (record["messageId"], LOG_ID)
    assert (problem["level"], problem["code"], problem["fields"]) == ("WARNING", "invalid_fields", ["type"])
    assert batch["dead_lettered"] == 1


def test_failure_is_logged(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    disconnect(monkeypatch)
    record = make_record(make_body(id=LOG_ID))

    lambda_handler(make_event(record), None)

    problem, batch = log_lines(stream)
    assert (problem["message_id"], problem["log_id"]) == (record["messageId"], LOG_ID)
    assert (problem["level"], problem["error"]) == ("ERROR", "EndpointConnectionError")
    assert "Could not connect" in problem["reason"]
    assert batch["failed"] == 1


def test_missing_dead_letter_queue_is_logged_with_code(
    stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LOGS_DEAD_LETTER_QUEUE_URL", raising=False)

    lambda_handler(make_event("not json"), None)

    problem, _ = log_lines(stream)
    assert problem["code"] == "not_json"
    assert problem["reason"].startswith("LOGS_DEAD_LETTER_QUEUE_URL is not set")


def test_unexpected_error_of_a_dead_letter_is_logged_with_code(
    stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("SECRET")

    monkeypatch.setenv("LOGS_DEAD_LETTER_QUEUE_URL", "http://127.0.0.1/1/x")
    monkeypatch.setattr(dead_letters, "client", fail)

    lambda_handler(make_event("not json"), None)

    problem, _ = log_lines(stream)
    assert (problem["code"], problem["error"]) == ("not_json", "RuntimeError")
    assert problem["reason"].startswith("fail (")
    assert "SECRET" not in stream.getvalue()


def test_unexpected_error_is_logged_by_place(stream: io.StringIO) -> None:
    foreign = make_record(make_body(payload="SECRET"))
    foreign["attributes"]["SentTimestamp"] = "SECRET"

    lambda_handler(make_event(foreign), None)

    problem, _ = log_lines(stream)
    assert problem["error"] == "ValueError"
    assert problem["reason"].startswith("envelope (")
    assert "SECRET" not in stream.getvalue()


def test_no_log_line_has_a_value_of_a_message(
    stream: io.StringIO, queues: Queues, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "SECRET"
    bodies = [
        make_body(id=LOG_ID, payload=secret, url=secret, account_id=secret, extra=secret),
        make_body(id=LOG_ID, payload=secret * 2),
        make_body(payload=secret, account_id=f"{secret}#", created_at=secret, type=[secret]),
        f"{secret} is not JSON",
        json.dumps([secret]),
        json.dumps({"payload": secret * 60_000 + "\ud800"}),
    ]
    lambda_handler(make_event(*bodies), None)
    disconnect(monkeypatch)
    lambda_handler(make_event(bodies[0]), None)

    assert len(queues.dead_letters()) == 5
    assert len(log_lines(stream)) == 5 + 1 + 1 + 1
    assert secret not in stream.getvalue()
    assert secret not in caplog.text


def test_newlines_in_a_message_add_no_log_line(stream: io.StringIO, queues: Queues) -> None:
    lambda_handler(
        make_event(make_record('{"x"\n{"level":"INFO"}', attributes={"log-id": '"\n{"a":1}'})), None
    )

    assert len(log_lines(stream)) == 2
