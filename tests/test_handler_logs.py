"""The handler's log lines: JSON, one a batch and one a problem, and never a value of a message."""

import io
import json
import logging
from typing import Any

import pytest

from ingest.handler import lambda_handler, logger
from logs.storage import dynamodb
from tests.conftest import free_port
from tests.factories import make_body, make_event, make_record
from tests.queues import Queues

pytest_plugins = ["tests.sqs_server"]
pytestmark = pytest.mark.usefixtures("logs_table")

HEX = "0123456789abcdef0123456789abcdef"


class Context:
    aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Collect the handler's log lines."""
    stream = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)
    return stream


def told(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_a_batch_is_one_line_with_its_counts(lines: io.StringIO) -> None:
    record = make_record()

    lambda_handler(make_event(record, record, make_record()), Context())

    [line] = told(lines)
    counts = {name: line[name] for name in ("messages", "written", "duplicate", "dead_lettered", "failed")}
    assert counts == {"messages": 3, "written": 2, "duplicate": 1, "dead_lettered": 0, "failed": 0}
    assert line["request_id"] == Context.aws_request_id


def test_a_dead_letter_is_one_line_more(lines: io.StringIO, queues: Queues) -> None:
    record = make_record(make_body(id=HEX, type=""))

    lambda_handler(make_event(record), None)

    problem, batch = told(lines)
    assert (problem["message_id"], problem["log_id"]) == (record["messageId"], HEX)
    assert (problem["level"], problem["code"], problem["fields"]) == ("WARNING", "invalid_fields", ["type"])
    assert batch["dead_lettered"] == 1


def test_a_failure_is_one_line_more(lines: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setattr(dynamodb.shared_connection(), "_client", None)
    record = make_record(make_body(id=HEX))

    lambda_handler(make_event(record), None)

    problem, batch = told(lines)
    assert (problem["message_id"], problem["log_id"]) == (record["messageId"], HEX)
    assert (problem["level"], problem["error"]) == ("ERROR", "EndpointConnectionError")
    assert "Could not connect" in problem["reason"]
    assert batch["failed"] == 1


def test_a_missing_dead_letter_queue_is_told_with_the_reason(
    lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LOGS_DEAD_LETTER_QUEUE_URL", raising=False)

    lambda_handler(make_event("not json"), None)

    problem, _ = told(lines)
    assert problem["code"] == "not_json"
    assert problem["reason"].startswith("LOGS_DEAD_LETTER_QUEUE_URL is not set")


def test_a_record_that_is_none_of_sqs_is_told_by_place(lines: io.StringIO) -> None:
    strange = make_record(make_body(payload="SECRET"))
    strange["attributes"]["SentTimestamp"] = "SECRET"

    lambda_handler(make_event(strange), None)

    problem, _ = told(lines)
    assert problem["error"] == "ValueError"
    assert problem["reason"].startswith("envelope (")
    assert "SECRET" not in lines.getvalue()


def test_no_line_of_any_logger_holds_a_value_of_a_message(
    lines: io.StringIO, queues: Queues, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "SECRET"
    bodies = [
        make_body(id=HEX, payload=secret, url=secret, account_id=secret, extra=secret),
        make_body(id=HEX, payload=secret * 2),
        make_body(payload=secret, account_id=f"{secret}#", created_at=secret, type=[secret]),
        f"{secret} is no JSON",
        json.dumps([secret]),
        json.dumps({"payload": secret * 60_000 + "\ud800"}),
    ]
    lambda_handler(make_event(*bodies), None)
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setattr(dynamodb.shared_connection(), "_client", None)
    lambda_handler(make_event(bodies[0]), None)

    assert len(queues.dead_letters()) == 5
    assert len(told(lines)) == 5 + 1 + 1 + 1
    assert secret not in lines.getvalue()
    assert secret not in caplog.text


def test_a_payload_with_line_ends_cannot_write_a_line(lines: io.StringIO, queues: Queues) -> None:
    lambda_handler(
        make_event(make_record('{"x"\n{"level":"INFO"}', attributes={"log-id": '"\n{"a":1}'})), None
    )

    assert len(told(lines)) == 2
