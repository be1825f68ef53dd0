"""The envelope of a message, and the identity that a redriven message keeps."""

from datetime import UTC, datetime, timedelta

import pytest

from ingest.messages import envelope
from tests.factories import SENT_AT, make_record

HEX = "0123456789abcdef0123456789abcdef"


def test_received_at_is_sqs_time() -> None:
    received = datetime(2026, 11, 23, 22, 44, 0, 123000, tzinfo=UTC)

    assert envelope(make_record()).received_at == envelope(make_record()).first_sent_at == received


def test_sender_is_sqs_sender_id() -> None:
    assert envelope(make_record()).sender == "AIDAIENQZJOLO23YVJ4VO"


def test_log_id_is_derived_from_the_message_id_alone() -> None:
    first = envelope(make_record(message_id="059f36b4-87a3-44ab-83d2-661975830a7d"))
    again = envelope(make_record("other", message_id="059f36b4-87a3-44ab-83d2-661975830a7d", receive_count=2))
    other = envelope(make_record())

    # Pinned: another namespace would store every redelivered message twice.
    assert first.log_id == again.log_id == "0b84807648f05457afb33e974835d73a"
    assert other.log_id != first.log_id


def test_redriven_message_keeps_its_first_identity() -> None:
    first_sent = "2026-11-20T10:00:00.000000+00:00"

    redriven = envelope(make_record(attributes={"log-id": HEX.upper(), "log-sent-at": first_sent}))

    assert redriven.log_id == HEX
    assert redriven.first_sent_at == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert redriven.received_at == SENT_AT


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "1970-01-01T00:00:00+00:00",
        "0001-01-01T00:00:00+00:00",
        (SENT_AT + timedelta(days=400)).isoformat(),
        (SENT_AT - timedelta(days=14, microseconds=1)).isoformat(),
    ],
)
def test_invalid_first_time_is_ignored(text: str) -> None:
    assert envelope(make_record(attributes={"log-sent-at": text})).first_sent_at == SENT_AT


def test_invalid_log_id_attribute_is_ignored() -> None:
    message_id = "059f36b4-87a3-44ab-83d2-661975830a7d"

    redriven = envelope(make_record(message_id=message_id, attributes={"log-id": "nonsense"}))

    assert redriven.log_id == envelope(make_record(message_id=message_id)).log_id


def test_binary_identity_attributes_are_ignored() -> None:
    redriven = envelope(make_record(attributes={"log-id": b"\xff", "log-sent-at": b"\xff"}))

    assert redriven.first_sent_at == SENT_AT
