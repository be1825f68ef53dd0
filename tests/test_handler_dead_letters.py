"""The attributes of a dead letter: reason, first identity, sender's attributes."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingest.messages import InvalidMessage, Rejected, envelope
from ingest.writing import dead_letters
from logs import times
from tests.factories import LOG_ID, SENT_AT, make_body, make_record
from tests.queues import Queues, attribute_texts

pytest_plugins = ["tests.sqs_server"]

REJECTION = InvalidMessage("invalid_fields", {"type": ["must be a non-empty text"], "url": ["is required"]})


def attributes_of(record: dict[str, Any], rejection: Rejected = REJECTION) -> dict[str, Any]:
    return dict(dead_letters.message_attributes(record, envelope(record), rejection))


def size_of(attributes: dict[str, Any]) -> int:
    return sum(
        len(name.encode())
        + len(value["DataType"])
        + len(value.get("StringValue", "").encode())
        + len(value.get("BinaryValue", b""))
        for name, value in attributes.items()
    )


def test_dead_letter_has_reason_and_identity(queues: Queues) -> None:
    record = make_record("an invalid body")

    dead_letters.send(record, envelope(record), REJECTION)

    [dead_letter] = queues.dead_letters()
    attributes = attribute_texts(dead_letter)
    assert dead_letter["Body"] == "an invalid body"
    assert datetime.now(UTC) - times.parse(attributes.pop("rejected-at")) < timedelta(minutes=1)
    assert re.fullmatch(r"logsite \S+", attributes.pop("rejected-by"))
    assert attributes == {
        "error-code": "invalid_fields",
        "error-fields": "type,url",
        "error-message": "type: must be a non-empty text; url: is required",
        "log-id": envelope(record).log_id,
        "log-sent-at": times.to_text(SENT_AT),
    }


def test_identity_survives_another_redrive() -> None:
    first = {"log-id": LOG_ID, "log-sent-at": "2026-11-20T00:00:00.000000+00:00", "error-code": "old"}

    attributes = attributes_of(make_record("x", attributes=first))

    assert attributes["log-id"]["StringValue"] == LOG_ID
    assert attributes["log-sent-at"]["StringValue"] == first["log-sent-at"]
    assert attributes["error-code"]["StringValue"] == "invalid_fields"


def test_id_of_the_body_takes_precedence() -> None:
    rejection = InvalidMessage("invalid_fields", {"type": ["is required"]}, LOG_ID)

    assert attributes_of(make_record(make_body()), rejection)["log-id"]["StringValue"] == LOG_ID


def test_senders_attributes_are_preserved() -> None:
    record = make_record("x", attributes={"trace": "abc", "raw": b"\x00\xff"})
    record["messageAttributes"]["count"] = {"stringValue": "7", "dataType": "Number.int"}

    attributes = attributes_of(record)

    assert attributes["trace"] == {"DataType": "String", "StringValue": "abc"}
    assert attributes["raw"] == {"DataType": "Binary", "BinaryValue": b"\x00\xff"}
    assert attributes["count"] == {"DataType": "Number.int", "StringValue": "7"}


def test_attributes_are_limited_to_ten_and_2_kb() -> None:
    many = make_record("x", attributes={f"sender-{number}": "x" for number in range(10)})
    long = make_record("x", attributes={"long": "x" * 3000, "short": "y"})
    rejection = Rejected("invalid_fields", {"é" * 300: ["ü" * 3000]})

    assert len(attributes_of(many)) == 10
    assert {"error-code", "log-id", "log-sent-at", "rejected-at"} < attributes_of(many).keys()
    assert "short" in attributes_of(long)
    assert "long" not in attributes_of(long)
    assert size_of(attributes_of(long, rejection)) <= 2048


def test_large_body_leaves_the_required_attributes() -> None:
    attributes = attributes_of(make_record("x" * (1_048_576 - 130)))

    assert attributes.keys() == {"log-id", "log-sent-at", "error-code"}
    assert size_of(attributes) <= 130


@pytest.mark.parametrize("room", [0, 1, 100])
def test_body_without_room_for_attributes_is_rejected(room: int) -> None:
    with pytest.raises(dead_letters.NoRoomForAttributes):
        attributes_of(make_record("x" * (1_048_576 - room)))


def test_attributes_hold_only_valid_characters() -> None:
    attributes = attributes_of(make_record("x"), Rejected("bad", {"\x00\ud800\ufffe": ["\x1b[31m\uffff"]}))

    for value in attributes.values():
        assert re.fullmatch("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+", value["StringValue"])
