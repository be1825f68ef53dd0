"""The writer masks before it stores an item or sends a dead letter, whoever sent the message."""

import importlib
import json
from typing import Any

import pytest

from ingest.handler import lambda_handler
from ingest.messages import DEFLATE, decompress
from ingest.sending.size import compress
from ingest.writing import body_masking
from logs.storage import documents
from logs.storage.items import get
from tests.factories import LOG_ID, NO_FAILURES, make_body, make_event, make_record
from tests.items import logs
from tests.queues import Queues, attribute_texts

pytest_plugins = ["tests.sqs_server"]
pytestmark = pytest.mark.usefixtures("logs_table")

SECRET = "hunter2"
CONFIDENTIAL = {"payload": {"password": SECRET, "n": 1.0}, "url": f"/x?token={SECRET}", "secret": SECRET}


def content() -> documents.Content:
    """Return the content of the log LOG_ID."""
    item = get(LOG_ID)
    assert item is not None
    return documents.content(item)


def compressed(**changes: Any) -> str:
    """Return a compressed body."""
    body = compress(make_body(**changes))
    assert body is not None
    return body


def test_writer_masks_payload_url_and_extra_fields() -> None:
    assert lambda_handler(make_event(make_body(id=LOG_ID, **CONFIDENTIAL)), None) == NO_FAILURES

    stored = content()
    assert stored.payload_text == '{"password":"***","n":1.0}'
    assert stored.fields["url"] == "/x?token=***"
    assert stored.extra == {"secret": "***"}


def test_writer_masks_compressed_and_unparsed_payloads() -> None:
    payload = {"password": SECRET, "x": [[]] * 200_000}

    lambda_handler(make_event(compressed(id=LOG_ID, payload=payload)), None)

    text = content().payload_text
    assert text is not None
    assert text.startswith('{"password": "***", "x": [[], []')


def test_redelivered_message_is_the_same_log(queues: Queues) -> None:
    record = make_record(make_body(**CONFIDENTIAL))
    masked_by_client = make_body(id=LOG_ID, payload={"password": "***"})

    lambda_handler(make_event(record, masked_by_client), None)
    lambda_handler(make_event(record, make_body(id=LOG_ID, payload={"password": SECRET})), None)

    assert len(logs()) == 2
    assert queues.dead_letters() == []


@pytest.mark.parametrize(
    ("body", "masked"),
    [
        (make_body(type="", **CONFIDENTIAL), make_body(type="", **CONFIDENTIAL).replace(SECRET, "***")),
        (f'{{"payload": {{"password": "{SECRET}', '{"payload": {"password": "***"'),
        (f'[{{"password": "{SECRET}"}}]', '[{"password": "***"}]'),
        (f"user=anna&password={SECRET}", "user=anna&password=***"),
        (f'{{"{DEFLATE}": "x", "password": "{SECRET}"}}', f'{{"{DEFLATE}": "x", "password": "***"}}'),
    ],
    ids=["invalid_fields", "cut_off", "list", "form", "not_deflated"],
)
def test_dead_letter_is_masked(queues: Queues, body: str, masked: str) -> None:
    assert lambda_handler(make_event(body), None) == NO_FAILURES

    [dead_letter] = queues.dead_letters()
    assert dead_letter["Body"] == masked


def test_compressed_dead_letter_is_masked(queues: Queues) -> None:
    confidential, harmless = compressed(type="", **CONFIDENTIAL), compressed(type="")

    lambda_handler(make_event(confidential, harmless), None)

    first, second = (message["Body"] for message in queues.dead_letters())
    masked, unchanged = (second, first) if first == harmless else (first, second)
    assert unchanged == harmless
    assert decompress(masked) == make_body(type="", **CONFIDENTIAL).replace(SECRET, "***")


def test_id_conflict_is_masked_and_replayable(queues: Queues) -> None:
    lambda_handler(make_event(make_body(id=LOG_ID)), None)
    lambda_handler(make_event(make_body(id=LOG_ID, **CONFIDENTIAL)), None)

    [dead_letter] = queues.dead_letters()
    assert attribute_texts(dead_letter)["error-code"] == "id_conflict"
    replayed = json.loads(dead_letter["Body"]) | {"id": None}
    lambda_handler(make_event(json.dumps(replayed)), None)
    assert SECRET not in dead_letter["Body"]
    assert len(logs()) == 2


def test_body_that_grows_over_the_limit_is_compressed(queues: Queues) -> None:
    body = make_body(type="", payload={"token": 1, "x": "x"})
    body = body.replace('"x"}', f'"{"x" * (1_048_576 - len(body))}"}}')

    assert lambda_handler(make_event(body), None) == NO_FAILURES

    [dead_letter] = queues.dead_letters()
    assert decompress(dead_letter["Body"]) == body.replace('"token": 1', '"token": "***"')


def test_empty_setting_masks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGS_MASK", "")

    lambda_handler(make_event(make_body(id=LOG_ID, **CONFIDENTIAL)), None)

    assert content().payload == CONFIDENTIAL["payload"]


def test_invalid_setting_ends_the_writer_at_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGS_MASK", "/[/")

    with pytest.raises(ValueError, match=r"^LOGS_MASK: '/\[/' must be a regular expression"):
        importlib.reload(body_masking)
