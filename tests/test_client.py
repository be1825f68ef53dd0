"""The synchronous client against an SQS server: sent bodies, counts, validation, size limit."""

import hashlib
import json
import logging
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from ingest.client import LogClient, TooLarge
from ingest.handler import lambda_handler
from ingest.wire import sqs
from logs import reader, times
from logs.models import LogItem
from logs.storage import documents
from tests.factories import make_event, make_fields
from tests.noise import noise
from tests.queues import Queues

pytest_plugins = ["tests.sqs_server"]

HEX = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def client(queues: Queues) -> Iterator[LogClient]:
    with LogClient(sync=True) as log_client:
        yield log_client


@pytest.fixture
def strict(queues: Queues) -> Iterator[LogClient]:
    with LogClient(sync=True, strict=True) as log_client:
        yield log_client


def test_enqueue_assigns_id_and_timestamp(client: LogClient, queues: Queues) -> None:
    log_id = client.enqueue(**make_fields())

    [body] = queues.bodies()
    sent = json.loads(body)
    assert sent["id"] == log_id == uuid.UUID(log_id).hex
    assert abs(times.parse(sent["created_at"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert {name: sent[name] for name in make_fields()} == make_fields()


def test_enqueue_keeps_an_explicit_id_and_timestamp(client: LogClient, queues: Queues) -> None:
    moment = datetime(2026, 11, 23, 23, 44, tzinfo=timezone(timedelta(hours=1)))

    log_id = client.enqueue(**make_fields(id=uuid.UUID(HEX), created_at=moment))

    [body] = queues.bodies()
    assert log_id == HEX
    assert json.loads(body)["created_at"] == "2026-11-23T22:44:00.000000+00:00"


def test_sent_log_is_stored_by_the_writer(client: LogClient, queues: Queues, logs_table: None) -> None:
    log_id = client.enqueue(
        **make_fields(payload={"at": datetime(2026, 1, 1, tzinfo=UTC), "who": {1}}, self="me")
    )

    assert lambda_handler(make_event(*queues.bodies()), None) == {"batchItemFailures": []}
    assert json.loads(LogItem.get(log_id).payload) == {"at": "2026-01-01T00:00:00.000000+00:00", "who": [1]}


def test_characters_outside_xml_survive(client: LogClient, queues: Queues) -> None:
    client.enqueue(**make_fields(payload="\x00\x1b\ufffe é 😀"))

    [body] = queues.bodies()
    assert body.isascii()
    assert json.loads(body)["payload"] == "\x00\x1b\ufffe é 😀"


def test_enqueue_many_sends_and_counts_all(client: LogClient, queues: Queues) -> None:
    sent = client.enqueue_many(make_fields(user_id=number) for number in range(25))

    assert sent == 25
    assert sorted(json.loads(body)["user_id"] for body in queues.bodies()) == list(range(25))


def test_enqueue_many_of_nothing_returns_zero(client: LogClient) -> None:
    assert client.enqueue_many([]) == 0


def test_large_logs_are_sent_in_small_batches(client: LogClient, queues: Queues) -> None:
    assert client.enqueue_many(make_fields(payload="x" * 400_000) for _ in range(5)) == 5
    assert len(queues.messages()) == 5


def test_enqueue_many_reads_lazily(client: LogClient, queues: Queues) -> None:
    counts = []

    def source() -> Iterator[dict[str, Any]]:
        for _ in range(30):
            counts.append(queues.count())
            yield make_fields()

    client.enqueue_many(source())

    assert counts[0] == 0
    assert counts[-1] >= 10


def test_invalid_fields_are_sent_with_a_warning(
    client: LogClient, queues: Queues, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "ingest.client"):
        client.enqueue(**make_fields(account_id="7#SECRET", payload="SECRET"))

    assert len(queues.messages()) == 1
    assert "account_id: must not contain #" in caplog.text
    assert "SECRET" not in caplog.text


def test_invalid_id_is_returned_unchanged(client: LogClient, queues: Queues) -> None:
    assert client.enqueue(**make_fields(id="nonsense")) == "nonsense"
    assert json.loads(queues.bodies()[0])["id"] == "nonsense"


def test_strict_client_rejects_invalid_fields_by_name(strict: LogClient, queues: Queues) -> None:
    with pytest.raises(ValueError, match="account_id: is required"):
        strict.enqueue(**make_fields(account_id=...))
    with pytest.raises(ValueError, match="type: must be"):
        strict.enqueue_many([make_fields()] * 30 + [make_fields(type=5)])

    assert queues.count() == 0


def test_strict_client_sends_valid_logs(strict: LogClient, queues: Queues) -> None:
    strict.enqueue(**make_fields())
    strict.enqueue_many(iter([make_fields()] * 12))

    assert queues.count() == 13


def test_strict_client_rejects_oversize_logs(strict: LogClient, queues: Queues) -> None:
    with pytest.raises(TooLarge, match=r"log \w{32} has .* bytes of 1,048,576"):
        strict.enqueue_many([make_fields(), make_fields(payload=noise(2_000_000))])

    assert queues.count() == 0


@pytest.mark.parametrize("payload", ["x" * 5_000_000, {"a": ["é" * 400_000]}], ids=["text", "json"])
def test_oversize_log_is_compressed_and_stored_whole(
    strict: LogClient, queues: Queues, logs_table: None, payload: Any
) -> None:
    log_id = strict.enqueue(**make_fields(payload=payload, trace="abc"))

    [body] = queues.bodies()
    assert len(body) <= 1_048_576
    assert lambda_handler(make_event(body), None) == {"batchItemFailures": []}
    item = reader.get(log_id)
    assert item
    assert documents.content(item).payload == payload
    assert documents.content(item).extra == {"trace": "abc"}


@pytest.mark.parametrize("name", ["payload", "url", "trace"])
def test_incompressible_value_is_truncated_with_size_and_hash(
    client: LogClient, queues: Queues, logs_table: None, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    text = noise(2_000_000)
    log_id = client.enqueue(**make_fields(**{"other": 1, name: text}))

    [body] = queues.bodies()
    assert lambda_handler(make_event(body), None) == {"batchItemFailures": []}
    item = reader.get(log_id)
    assert item
    content = documents.content(item)
    value = {**content.fields, **content.extra, "payload": content.payload}[name]
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert value == f"{text[:1000]}… (cut: {len(text)} bytes, SHA-256 {digest})"
    assert content.extra["other"] == 1
    assert f"log {log_id} has" in caplog.text


def test_thousands_of_fields_are_truncated(client: LogClient, queues: Queues) -> None:
    chance = random.Random(1)
    fields = {chance.randbytes(60).hex(): 1 for _ in range(20_000)}
    log_id = client.enqueue(**make_fields(**fields))
    [body] = queues.bodies()
    sent = json.loads(body)
    assert len(body) <= 1_048_576
    assert (sent["id"], sent["account_id"]) == (log_id, 7)
    assert "SHA-256" in sent["payload"]


def test_largest_message_of_sqs_is_sent(client: LogClient, queues: Queues) -> None:
    fields = make_fields(id=HEX, created_at="2026-11-23T22:44:00.000000+00:00", payload="")
    room = 1_048_576 - len(json.dumps(fields, separators=(",", ":")))

    client.enqueue(**{**fields, "payload": "x" * room})

    assert len(queues.bodies()[0]) == 1_048_576


@pytest.mark.parametrize(("value", "strict"), [("1", True), ("true", True), ("off", False), ("", False)])
def test_strict_defaults_to_the_environment(
    queues: Queues, monkeypatch: pytest.MonkeyPatch, value: str, strict: bool
) -> None:
    monkeypatch.setenv("LOGSITE_STRICT", value)

    assert LogClient(sync=True).strict is strict
    assert LogClient(sync=True, strict=not strict).strict is not strict


def test_invalid_logsite_strict_raises(queues: Queues, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGSITE_STRICT", "maybe")

    with pytest.raises(ValueError, match="LOGSITE_STRICT"):
        LogClient(sync=True)


def test_missing_queue_url_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOGS_QUEUE_URL", raising=False)

    with pytest.raises(ValueError, match="LOGS_QUEUE_URL"):
        LogClient(sync=True)


def test_flush_of_a_sync_client_returns_at_once(client: LogClient) -> None:
    assert client.flush(timeout=0) is True


def test_closed_sync_client_sends_nothing(client: LogClient, queues: Queues) -> None:
    client.enqueue(**make_fields())
    client.close()
    client.close()

    with pytest.raises(RuntimeError, match="closed"):
        client.enqueue(**make_fields())
    assert queues.count() == 1


def test_construction_makes_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setattr(sqs, "client", lambda **_: pytest.fail("an SQS client was created"))

    client = LogClient("https://sqs.us-east-1.amazonaws.com/123456789012/logs", sync=True)
    client.close()


def test_region_comes_from_the_queue_url() -> None:
    assert sqs.region_of("https://sqs.eu-central-1.amazonaws.com/123456789012/LogsQueue") == "eu-central-1"
    assert sqs.region_of("http://127.0.0.1:4566/000000000000/LogsQueue") is None
