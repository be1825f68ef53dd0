"""LogHandler: records of Python's logging become logs."""

import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import ingest.client
from ingest.client import LogClient
from ingest.logging_handler import IGNORED_LOGGERS, LogHandler
from ingest.testing import RecordingClient
from logs import times


@pytest.fixture
def recording() -> RecordingClient:
    return RecordingClient()


@pytest.fixture
def app(recording: RecordingClient) -> Iterator[logging.Logger]:
    """Return an application's logger, with the handler at the root logger."""
    handler = LogHandler(recording, type="shop")
    logging.getLogger().addHandler(handler)
    yield logging.getLogger("shop.cart")
    logging.getLogger().removeHandler(handler)


def test_record_becomes_a_log(app: logging.Logger, recording: RecordingClient) -> None:
    app.warning("%d items are gone", 3)
    [log] = recording.logs
    assert (log["account_id"], log["user_id"], log["type"], log["sub_type"]) == (0, 0, "shop", "warning")
    assert log["payload"] == {"level": "WARNING", "logger": "shop.cart", "message": "3 items are gone"}
    assert datetime.now(UTC) - times.parse(log["created_at"]) < timedelta(minutes=1)


def test_extra_sets_fields_and_the_rest_joins_the_payload(
    app: logging.Logger, recording: RecordingClient
) -> None:
    extra = {"account_id": 7, "user_id": 12, "type": "cart", "url": "/cart", "basket": {"size": 3}}
    app.error("gone", extra=extra)
    [log] = recording.logs
    assert (log["account_id"], log["user_id"], log["type"], log["url"]) == (7, 12, "cart", "/cart")
    assert log["payload"]["basket"] == {"size": 3}


def test_exception_is_in_the_payload(app: logging.Logger, recording: RecordingClient) -> None:
    try:
        raise ZeroDivisionError("by nothing")
    except ZeroDivisionError:
        app.exception("failed")
    assert "ZeroDivisionError: by nothing" in recording.logs[0]["payload"]["exception"]


@pytest.mark.parametrize(
    "name", ["ingest.client", "ingest.client.retry", "ingest.django", "botocore.endpoint", "urllib3", "boto3"]
)
def test_handler_ignores_loggers_of_sending(
    app: logging.Logger, recording: RecordingClient, name: str
) -> None:
    logging.getLogger(name).error("SQS is unreachable")
    assert recording.logs == []


@pytest.mark.parametrize("name", ["ingest", "ingest.orders", "ingest.clients", "ingestion"])
def test_handler_accepts_an_applications_similar_name(
    app: logging.Logger, recording: RecordingClient, name: str
) -> None:
    logging.getLogger(name).error("x")
    assert len(recording.logs) == 1


def test_handler_ignores_every_logger_of_the_package() -> None:
    folder = Path(ingest.client.__file__).parent
    names = set()
    for path in folder.rglob("*.py"):
        module = ".".join(path.relative_to(folder.parent).with_suffix("").parts)
        for argument in re.findall(r"^logger = logging\.getLogger\((.+)\)$", path.read_text(), re.MULTILINE):
            names.add(module if argument == "__name__" else argument.strip('"'))
    assert "ingest.client" in names
    assert names <= set(IGNORED_LOGGERS)


def test_handler_never_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    client = LogClient("http://127.0.0.1/1/x", sync=True)
    client.close()
    logger = logging.Logger("apart")
    logger.addHandler(LogHandler(client))
    logger.error("%s")


def test_invalid_field_in_extra_does_not_break_the_caller(
    app: logging.Logger, recording: RecordingClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    app.error("x", extra={"account_id": "7#"})
    assert recording.logs == []
