"""The site's log lines: one JSON object per line, with the request's ids."""

import io
import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from logs import reader
from logsite import log_lines


@pytest.fixture
def log_output(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Configure logging as on Lambda for this test; return the output."""
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    handler.setFormatter(log_lines.JsonFormatter())
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [handler])
    monkeypatch.setattr(root, "level", logging.INFO)
    # Each logger caches its effective level.
    root.manager._clear_cache()  # type: ignore[attr-defined]  # logging.config does the same
    return output


def lines(log_output: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log_output.getvalue().splitlines()]


def get(client: Client, address: str) -> Any:
    """Send a GET request with API Gateway's event and Lambda's context, as Zappa does."""
    event = {"requestContext": {"requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "stage": "dev"}}
    context = SimpleNamespace(aws_request_id="8f507cfc-xmpl-4697-b07a-ac58fc914c95")
    environ: dict[str, Any] = {"lambda.event": event, "lambda.context": context}
    return client.get(address, **environ)


def test_request_line_has_ids_and_no_query_string(log_output: io.StringIO) -> None:
    get(Client(), "/healthz?q=secret")
    [line] = lines(log_output)
    assert line["message"].startswith("GET /healthz 200 ")
    assert line["level"] == "INFO"
    assert line["request_id"] == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    assert line["invocation_id"] == "8f507cfc-xmpl-4697-b07a-ac58fc914c95"
    assert "secret" not in log_output.getvalue()


def test_exception_line_has_the_ids_of_the_request(
    viewer_client: Client, log_output: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(reader, "read_page", broken)
    viewer_client.raise_request_exception = False
    assert get(viewer_client, "/admin/logs/log/").status_code == 500
    log_records = lines(log_output)
    exception = next(line["exception"] for line in log_records if "exception" in line)
    assert exception.endswith("RuntimeError: broken")
    assert {line["request_id"] for line in log_records} == {"c6af9ac6-7b61-11e6-9a41-93e8deadbeef"}


def test_next_request_has_no_ids_of_the_previous_one(log_output: io.StringIO) -> None:
    get(Client(), "/healthz")
    Client().get("/healthz")
    assert "request_id" not in lines(log_output)[-1]


@pytest.mark.parametrize(
    "event", [None, "text", {}, {"requestContext": None}, {"requestContext": {"requestId": 7}}]
)
def test_unknown_event_sets_no_ids(log_output: io.StringIO, event: Any) -> None:
    log_lines.set_request_ids(event, None)
    logging.getLogger("logsite").warning("a line")
    [line] = lines(log_output)
    assert line.keys() == {"timestamp", "level", "logger", "message"}


def test_line_break_in_a_text_forges_no_line(log_output: io.StringIO) -> None:
    logging.getLogger("logsite").warning("not found: %s", '/x\n{"level": "CRITICAL"}')
    [line] = lines(log_output)
    assert line["level"] == "WARNING"


def test_zappas_line_with_query_string_is_suppressed() -> None:
    assert log_lines.LOGGING["loggers"]["zappa.wsgi"] == {"level": "WARNING"}
