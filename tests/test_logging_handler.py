"""LogHandler: records of Python's logging become logs."""

import enum
import logging
import logging.handlers
import queue
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django.http import QueryDict

import ingest.client
from ingest.client import LogClient
from ingest.logging_handler import IGNORED_LOGGERS, LogHandler
from ingest.messages import LogMessage
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


class LogKind(enum.Enum):
    CART = "cart"


RECORD = {"level": "ERROR", "logger": "shop.cart", "message": "gone"}
DEFAULTS = {"account_id": 0, "user_id": 0, "type": "shop", "sub_type": "error", "url": ""}


def sent(recording: RecordingClient) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields and the payload of the only log. Its id and its time must be those of the record."""
    [log] = recording.logs
    assert uuid.UUID(log.pop("id")).version == 4
    assert abs(datetime.now(UTC) - times.parse(log.pop("created_at"))) < timedelta(minutes=1)
    return log, log.pop("payload")


@pytest.mark.parametrize(
    "extra",
    [
        {"id": 42},
        {"id": "0123456789abcdef0123456789abcdef"},
        {"account_id": "7#"},
        {"account_id": True},
        {"account_id": "x" * 501},
        {"user_id": ""},
        {"user_id": -1},
        {"user_id": 7.5},
        {"user_id": [7]},
        {"type": 7},
        {"type": ""},
        {"type": "a\nb"},
        {"sub_type": 7},
        {"url": {"path": "/"}},
        {"submitter_id": {}},
        {"submitter_country": 49},
        {"submitter_agent": ["a"]},
        {"created_at": "yesterday"},
        {"created_at": "2019-01-01T00:00:00+00:00"},
        {"created_at": 1764000000},
        {"payload": "text"},
        {"payload": ["a"]},
        {"payload": 0},
        {"basket": None},
        {"user_id": -1, "type": None, "url": 5},
    ],
)
def test_unfit_entry_of_extra_joins_the_payload(
    app: logging.Logger, recording: RecordingClient, extra: dict[str, Any]
) -> None:
    app.error("gone", extra=extra)
    fields = {name: value for name, value in extra.items() if value is not None or name == "basket"}
    assert sent(recording) == (DEFAULTS, RECORD | fields)


@pytest.mark.parametrize("name", [name for name in LogMessage.model_fields if name not in {"payload"}])
def test_object_in_any_field_of_extra_joins_the_payload(
    app: logging.Logger, recording: RecordingClient, name: str
) -> None:
    app.error("gone", extra={name: object()})
    fields, payload = sent(recording)
    assert fields == DEFAULTS
    assert "object object at" in payload[name]


@pytest.mark.parametrize("name", LogMessage.model_fields)
def test_none_in_extra_is_absent(app: logging.Logger, recording: RecordingClient, name: str) -> None:
    app.error("gone", extra={name: None})
    assert sent(recording) == (DEFAULTS, RECORD)


def test_valid_values_of_other_types_set_fields(app: logging.Logger, recording: RecordingClient) -> None:
    key = uuid.uuid4()
    extra = {"account_id": " 7 ", "user_id": key, "type": LogKind.CART}
    app.error("gone", extra={**extra, "submitter_country": "BG", "sub_type": ""})
    values = {"account_id": " 7 ", "user_id": str(key), "type": "cart", "submitter_country": "BG"}
    assert sent(recording) == (DEFAULTS | values | {"sub_type": ""}, RECORD)


@pytest.mark.parametrize(
    ("extra", "members"),
    [
        ({"payload": {"n": 1}}, {"n": 1}),
        ({"payload": {"n": 1}, "n": 2}, {"n": 2, "extra_n": 1}),
        ({"payload": {"message": "m", "level": 5}}, {"extra_message": "m", "extra_level": 5}),
        ({"payload": QueryDict("n=1&n=2")}, {"n": ["1", "2"]}),
        ({"payload": {}}, {}),
        ({"level": "high", "logger": "x"}, {"extra_level": "high", "extra_logger": "x"}),
        ({"level": 1, "extra_level": 2}, {"extra_level": 1, "extra_extra_level": 2}),
        ({"exception": "none"}, {"exception": "none"}),
        ({"extra": {"a": 1}}, {"extra": {"a": 1}}),
    ],
)
def test_extra_never_replaces_the_record(
    app: logging.Logger, recording: RecordingClient, extra: dict[str, Any], members: dict[str, Any]
) -> None:
    app.error("gone", extra=extra)
    assert sent(recording) == (DEFAULTS, RECORD | members)


def test_exception_and_stack_stay_beside_extra(app: logging.Logger, recording: RecordingClient) -> None:
    try:
        raise ZeroDivisionError("by nothing")
    except ZeroDivisionError:
        app.exception("gone", extra={"exception": 1, "payload": {"stack_info": 2}}, stack_info=True)
    _, payload = sent(recording)
    assert "ZeroDivisionError: by nothing" in payload["exception"]
    assert "test_exception_and_stack_stay_beside_extra" in payload["stack_info"]
    assert (payload["extra_exception"], payload["extra_stack_info"]) == (1, 2)


@pytest.mark.parametrize(
    ("message", "args", "expected"),
    [
        ({"event": "paid", "n": 1}, (), {"message": {"event": "paid", "n": 1}}),
        ({"a": 1}, ("x",), {"message": {"a": 1}, "args": ["x"]}),
        (["a", {"b": 2}], (), {"message": ["a", {"b": 2}]}),
        (ValueError("why"), (), {"message": {"class": "ValueError", "message": "why", "traceback": None}}),
        ("%d items", ("three",), {"message": "%d items", "args": ["three"]}),
        ("%s and %s", ("one",), {"message": "%s and %s", "args": ["one"]}),
        ("%(n)s items", ({"n": 3},), {"message": "3 items"}),
        ("%(n)s items", ({"m": 3},), {"message": "%(n)s items", "args": {"m": 3}}),
        (5, (), {"message": "5"}),
        (None, (), {"message": "None"}),
    ],
)
def test_message_of_any_kind_is_kept(
    recording: RecordingClient, message: Any, args: tuple[Any, ...], expected: Any
) -> None:
    logger = logging.Logger("shop.cart")
    logger.addHandler(LogHandler(recording, type="shop"))
    logger.error(message, *args)
    assert sent(recording) == (DEFAULTS, RECORD | expected)


def test_event_dictionary_of_structlog_stays_an_object(
    app: logging.Logger, recording: RecordingClient
) -> None:
    app.error({"event": "gone", "items": [1]}, extra={"_logger": app, "_name": "error"})
    assert sent(recording)[1] == RECORD | {"message": {"event": "gone", "items": [1]}}


LOGGER = logging.Logger("shop.cart")


@pytest.mark.parametrize("name", ["error", "exception", "warn", "log", "critical"])
@pytest.mark.parametrize("logger", [LOGGER, logging.LoggerAdapter(LOGGER, {})])
def test_attributes_of_structlog_are_left_out(
    app: logging.Logger, recording: RecordingClient, logger: object, name: str
) -> None:
    app.error({"event": "gone"}, extra={"_logger": logger, "_name": name, "n": 1})
    assert sent(recording)[1] == RECORD | {"message": {"event": "gone"}, "n": 1}


@pytest.mark.parametrize("message", ["gone", {"event": "gone"}])
@pytest.mark.parametrize(
    "extra",
    [
        {"_name": "Bob", "_logger": "L"},
        {"_name": "error"},
        {"_name": None, "_logger": None},
        {"_logger": LOGGER},
        {"_logger": LOGGER, "_name": "Bob"},
        {"_logger": LOGGER, "_name": 7},
        {"_logger": "L", "_name": "error"},
        {"_record": 1, "_from_structlog": True},
        {"stack": 1, "event": 2, "timestamp": 3, "logger_name": 4},
    ],
)
def test_no_entry_of_extra_is_dropped(
    app: logging.Logger, recording: RecordingClient, message: Any, extra: dict[str, Any]
) -> None:
    app.error(message, extra=extra)
    members = {name: str(value) if value is LOGGER else value for name, value in extra.items()}
    assert sent(recording)[1] == RECORD | {"message": message} | members


@pytest.mark.parametrize("value", ["x", 7, {"a": 1}])
def test_task_name_is_dropped_only_if_each_record_has_it(
    app: logging.Logger, recording: RecordingClient, value: object
) -> None:
    # Python has this attribute from 3.12 on, and raises KeyError for it in `extra`.
    if "taskName" in vars(logging.makeLogRecord({})):
        app.error("gone")
        assert sent(recording)[1] == RECORD
    else:
        app.error("gone", extra={"taskName": value})
        assert sent(recording)[1] == RECORD | {"taskName": value}


def test_adapter_and_queue_keep_the_record(app: logging.Logger, recording: RecordingClient) -> None:
    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    logger = logging.Logger("shop.cart")
    logger.addHandler(logging.handlers.QueueHandler(records))
    try:
        raise ZeroDivisionError("by nothing")
    except ZeroDivisionError:
        logging.LoggerAdapter(logger, {"user_id": 12, "id": 5}).exception("gone")
    app.handle(records.get())
    fields, payload = sent(recording)
    assert fields == DEFAULTS | {"user_id": 12}
    assert payload["id"] == 5
    assert "ZeroDivisionError: by nothing" in str(payload)


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"created": "yesterday"},
        {"created": float("inf")},
        {"name": None, "levelname": None},
        {"exc_info": True, "exc_text": "Traceback"},
        {"exc_info": (None, None, None)},
        {"exc_info": ()},
    ],
)
def test_record_with_odd_attributes_is_sent(recording: RecordingClient, attributes: dict[str, Any]) -> None:
    # Not the root logger: other handlers there, such as those of Powertools, may not accept these records.
    logger = logging.Logger("apart")
    logger.addHandler(LogHandler(recording))
    logger.handle(logging.makeLogRecord({"msg": "gone", "levelno": 40, **attributes}))
    assert sent(recording)[1]["message"] == "gone"


def test_no_extra_makes_a_dead_letter(recording: RecordingClient, app: logging.Logger) -> None:
    class Hostile:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(name)

        def __str__(self) -> str:
            raise RuntimeError("no text")

    values = [Hostile(), Mock(), [[]] * 100, {"deep": {1, 2}}, "\ud800", b"\xff", float("nan"), 2**20_000]
    for value in values:
        app.error("gone", extra=dict.fromkeys(LogMessage.model_fields, value))
    assert len(recording.logs) == len(values)
    assert {log["payload"]["message"] for log in recording.logs} == {"gone"}


def test_defaults_are_validated_at_once(recording: RecordingClient) -> None:
    with pytest.raises(ValueError, match="account_id: must not contain #"):
        LogHandler(recording, account_id="7#")
    with pytest.raises(ValueError, match="takes no default for id"):
        LogHandler(recording, id="0123456789abcdef0123456789abcdef")


def test_default_payload_and_none_do_not_replace_the_record(recording: RecordingClient) -> None:
    logger = logging.Logger("shop.cart")
    logger.addHandler(LogHandler(recording, type="shop", url=None, payload={"service": "cart", "n": 1}))
    logger.error("gone", extra={"n": 2})
    assert sent(recording) == (DEFAULTS, RECORD | {"n": 2, "service": "cart", "extra_n": 1})
