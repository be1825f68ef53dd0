"""The site's log lines: one JSON object per line, with the request's ids."""

import io
import json
import logging
import logging.config
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from ingest.cli.terminal import escape_controls
from logs import reader
from logsite import log_lines
from logsite.accounts import tokens
from logsite.accounts.models import User
from tests.api import LOGS, program
from tests.conftest import PASSWORD, client_of
from tests.dynamodb_calls import recorded_calls


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

    monkeypatch.setattr(reader, "start", broken)
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
    assert log_lines.LAMBDA_LOGGING["loggers"]["zappa.wsgi"] == {"level": "WARNING"}


# C0, C1, line breaks, bidirectional and invisible characters, and a lone surrogate in UTF-8.
HOSTILE = [
    "%0a{%22level%22:%22CRITICAL%22}",
    "%0d%0aGET%20/forged%20200",
    "%1b[2J%1b]0;title%07",
    "%00%08%7f",
    "%C2%9B31m%C2%85",
    "%E2%80%AE%E2%81%A6%E2%80%8F",
    "%E2%80%A8%E2%80%A9",
    "%E2%80%8B%EF%BB%BF%F3%A0%81%81",
    "%ED%A0%80",
    "%FF%FE",
]
CONFIGURATIONS = {"lambda": log_lines.LAMBDA_LOGGING, "laptop": log_lines.TEXT_LOGGING}


def configured(configuration: dict[str, Any], output: io.StringIO) -> None:
    """Apply a configuration, with an output instead of a stream of the process."""
    handlers = {"lines": {**configuration["handlers"]["lines"], "stream": output}}
    logging.config.dictConfig({**configuration, "handlers": handlers})


@pytest.fixture
def restored_logging() -> Iterator[None]:
    """Restore the handlers and levels of the root logger and of Django's."""
    loggers = [logging.getLogger(name) for name in (None, *log_lines.TEXT_LOGGING["loggers"], "zappa.wsgi")]
    state = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, handlers, level, propagate in state:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


@pytest.mark.parametrize("path", HOSTILE)
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_hostile_path_is_escaped(name: str, path: str, restored_logging: None) -> None:
    output = io.StringIO()
    configured(CONFIGURATIONS[name], output)
    assert Client().get(f"/{path}").status_code == 404
    text = output.getvalue()
    assert len(text.split("\n")) == 3, "one line of Django, one of the middleware"
    assert all(line.isprintable() for line in text.split("\n"))
    if name == "lambda":
        assert text.isascii()
        assert {json.loads(line)["level"] for line in text.splitlines()} == {"WARNING", "INFO"}


@pytest.mark.parametrize("name", CONFIGURATIONS)
@pytest.mark.parametrize("text", ["\x1b[2J", "\n2026 INFO forged", "\u202e", "\x9b", "\ud800", "\u2028"])
def test_hostile_exception_is_escaped(name: str, text: str, restored_logging: None) -> None:
    output = io.StringIO()
    configured(CONFIGURATIONS[name], output)
    try:
        raise ValueError(text)
    except ValueError:
        logging.getLogger("logsite").exception("failed: %s", text)
    lines = output.getvalue().split("\n")
    assert all(line.isprintable() for line in lines)
    assert text not in lines[0]
    if name == "lambda":
        assert len(lines) == 2
        assert output.getvalue().isascii()


def test_text_line_keeps_other_scripts() -> None:
    assert escape_controls("Ваня 山田 é") == "Ваня 山田 é"
    assert escape_controls("a\tb\n", keep="\n") == "a\\tb\n"


def request_lines(log_output: io.StringIO) -> list[str]:
    """Return the ends of the lines of requests: actor and address."""
    messages = [line["message"] for line in lines(log_output) if line["logger"] == "logsite.middleware"]
    return [message.partition(" ms ")[2] for message in messages]


def test_request_line_names_the_user(viewer: User, log_output: io.StringIO) -> None:
    client = Client()
    client.post("/admin/login/", {"username": viewer.username, "password": PASSWORD})
    for address in ("/admin/logs/log/", "/admin/none", LOGS):
        client.get(address)
    assert request_lines(log_output) == [f"user={viewer.username} address=127.0.0.1"] * 4


def test_request_line_names_the_token(log_output: io.StringIO) -> None:
    name = f"line-{uuid4().hex[:12]}"
    token = tokens.create(name)
    program(token).get(LOGS)
    program("logsite_none_secret").get(LOGS)
    assert request_lines(log_output) == [f"token={name} address=127.0.0.1", "user=- address=127.0.0.1"]
    assert token not in log_output.getvalue()


def test_request_line_has_the_address_of_api_gateway(log_output: io.StringIO) -> None:
    event = {"requestContext": {"identity": {"sourceIp": "203.0.113.7"}}}
    environ: dict[str, Any] = {"lambda.event": event}
    Client().get("/healthz", headers={"x-forwarded-for": "198.51.100.9"}, **environ)
    assert request_lines(log_output) == ["user=- address=203.0.113.7"]


def test_request_line_reads_no_session(viewer: User, log_output: io.StringIO) -> None:
    client = client_of(viewer)
    with recorded_calls() as calls:
        client.get("/healthz")
        client.get("/")
    assert calls == []
    assert request_lines(log_output) == ["user=- address=127.0.0.1"] * 2
