"""What a dead letter carries: its reason, its first identity, the sender's own attributes."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingest.messages import InvalidMessage, Rejected, envelope
from ingest.writing import dead_letters
from logs import times
from tests.factories import SENT_AT, make_body, make_record
from tests.queues import Queues, attribute_texts

pytest_plugins = ["tests.sqs_server"]

HEX = "0123456789abcdef0123456789abcdef"
REFUSAL = InvalidMessage("invalid_fields", {"type": ["must be a non-empty text"], "url": ["is required"]})


def attributes_of(record: dict[str, Any], refusal: Rejected = REFUSAL) -> dict[str, Any]:
    return dict(dead_letters.reasons(record, envelope(record), refusal))


def size_of(attributes: dict[str, Any]) -> int:
    return sum(
        len(name.encode())
        + len(value["DataType"])
        + len(value.get("StringValue", "").encode())
        + len(value.get("BinaryValue", b""))
        for name, value in attributes.items()
    )


def test_it_tells_reason_and_first_identity(queues: Queues) -> None:
    record = make_record("a wrong body")

    dead_letters.send(record, envelope(record), REFUSAL)

    [letter] = queues.dead_letters()
    told = attribute_texts(letter)
    assert letter["Body"] == "a wrong body"
    assert datetime.now(UTC) - times.parse(told.pop("rejected-at")) < timedelta(minutes=1)
    assert re.fullmatch(r"logsite \S+", told.pop("rejected-by"))
    assert told == {
        "error-code": "invalid_fields",
        "error-fields": "type,url",
        "error-message": "type: must be a non-empty text; url: is required",
        "log-id": envelope(record).log_id,
        "log-sent-at": times.to_text(SENT_AT),
    }


def test_the_identity_is_the_first_one_however_often_it_is_sent() -> None:
    first = {"log-id": HEX, "log-sent-at": "2026-11-01T00:00:00.000000+00:00", "error-code": "old"}

    told = attributes_of(make_record("x", attributes=first))

    assert told["log-id"]["StringValue"] == HEX
    assert told["log-sent-at"]["StringValue"] == first["log-sent-at"]
    assert told["error-code"]["StringValue"] == "invalid_fields"


def test_the_id_of_the_body_is_the_logs_own() -> None:
    refusal = InvalidMessage("invalid_fields", {"type": ["is required"]}, HEX)

    assert attributes_of(make_record(make_body()), refusal)["log-id"]["StringValue"] == HEX


def test_the_senders_own_attributes_stay() -> None:
    record = make_record("x", attributes={"trace": "abc", "raw": b"\x00\xff"})
    record["messageAttributes"]["count"] = {"stringValue": "7", "dataType": "Number.int"}

    told = attributes_of(record)

    assert told["trace"] == {"DataType": "String", "StringValue": "abc"}
    assert told["raw"] == {"DataType": "Binary", "BinaryValue": b"\x00\xff"}
    assert told["count"] == {"DataType": "Number.int", "StringValue": "7"}


def test_there_are_ten_attributes_and_2_kb_at_most() -> None:
    many = make_record("x", attributes={f"own-{number}": "x" for number in range(10)})
    long = make_record("x", attributes={"long": "x" * 3000, "short": "y"})
    both = Rejected("invalid_fields", {"é" * 300: ["ü" * 3000]})

    assert len(attributes_of(many)) == 10
    assert {"error-code", "log-id", "log-sent-at", "rejected-at"} < attributes_of(many).keys()
    assert "short" in attributes_of(long)
    assert "long" not in attributes_of(long)
    assert size_of(attributes_of(long, both)) <= 2048


def test_a_body_of_almost_1_mib_leaves_room_for_what_matters_most() -> None:
    told = attributes_of(make_record("x" * (1_048_576 - 130)))

    assert told.keys() == {"log-id", "log-sent-at", "error-code"}
    assert size_of(told) <= 130


@pytest.mark.parametrize("room", [0, 1, 100])
def test_without_room_for_a_reason_it_is_no_dead_letter_of_ours(room: int) -> None:
    with pytest.raises(dead_letters.NoRoom):
        attributes_of(make_record("x" * (1_048_576 - room)))


def test_values_hold_what_sqs_takes_only() -> None:
    told = attributes_of(make_record("x"), Rejected("bad", {"\x00\ud800\ufffe": ["\x1b[31m\uffff"]}))

    for value in told.values():
        assert re.fullmatch("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+", value["StringValue"])
