"""What the web function writes to CloudWatch: JSON objects, a line each, with the ids of the request."""

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
def written(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Configure logging as on Lambda, for this test; return what is written."""
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    handler.setFormatter(log_lines.JsonFormatter())
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [handler])
    monkeypatch.setattr(root, "level", logging.INFO)
    # Levels are remembered by each logger that was asked before.
    root.manager._clear_cache()  # type: ignore[attr-defined]  # logging.config does the same
    return output


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def get(client: Client, address: str) -> Any:
    """Ask as Zappa does, which hands API Gateway's event and Lambda's context to the site."""
    asked = {"requestContext": {"requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "stage": "dev"}}
    context = SimpleNamespace(aws_request_id="8f507cfc-xmpl-4697-b07a-ac58fc914c95")
    environ: dict[str, Any] = {"lambda.event": asked, "lambda.context": context}
    return client.get(address, **environ)


def test_a_request_is_a_line_with_its_ids_and_without_what_was_searched(written: io.StringIO) -> None:
    get(Client(), "/healthz?q=secret")
    [line] = lines(written)
    assert line["message"].startswith("GET /healthz 200 ")
    assert line["level"] == "INFO"
    assert line["request_id"] == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    assert line["invocation_id"] == "8f507cfc-xmpl-4697-b07a-ac58fc914c95"
    assert "secret" not in written.getvalue()


def test_what_goes_wrong_within_a_request_has_its_ids_too(
    viewer_client: Client, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(reader, "read_page", broken)
    viewer_client.raise_request_exception = False
    assert get(viewer_client, "/admin/logs/log/").status_code == 500
    found = lines(written)
    failed = next(line for line in found if "exception" in line)
    assert failed["exception"].endswith("RuntimeError: broken")
    assert {line["request_id"] for line in found} == {"c6af9ac6-7b61-11e6-9a41-93e8deadbeef"}


def test_the_next_request_has_no_ids_of_the_one_before(written: io.StringIO) -> None:
    get(Client(), "/healthz")
    Client().get("/healthz")
    assert "request_id" not in lines(written)[-1]


@pytest.mark.parametrize(
    "asked", [None, "text", {}, {"requestContext": None}, {"requestContext": {"requestId": 7}}]
)
def test_an_event_of_another_kind_gives_no_ids(written: io.StringIO, asked: Any) -> None:
    log_lines.note_request(asked, None)
    logging.getLogger("logsite").warning("a line")
    [line] = lines(written)
    assert line.keys() == {"timestamp", "level", "logger", "message"}


def test_nobody_can_write_a_line_of_their_own(written: io.StringIO) -> None:
    logging.getLogger("logsite").warning("not found: %s", '/x\n{"level": "CRITICAL"}')
    [line] = lines(written)
    assert line["level"] == "WARNING"


def test_the_line_that_zappa_writes_with_the_query_string_is_left_out() -> None:
    assert log_lines.LOGGING["loggers"]["zappa.wsgi"] == {"level": "WARNING"}
