"""What SQS knows of a message, and what a dead letter that is sent again remembers."""

from datetime import UTC, datetime, timedelta

import pytest

from ingest.messages import envelope
from tests.factories import SENT_AT, make_record

HEX = "0123456789abcdef0123456789abcdef"


def test_it_is_sent_when_sqs_says() -> None:
    assert envelope(make_record()).sent_at == datetime(2026, 11, 23, 22, 44, 0, 123000, tzinfo=UTC)


def test_it_names_the_sender() -> None:
    assert envelope(make_record()).sender == "AIDAIENQZJOLO23YVJ4VO"


def test_the_id_comes_from_the_message_id_alone() -> None:
    first = envelope(make_record(message_id="059f36b4-87a3-44ab-83d2-661975830a7d"))
    again = envelope(make_record("other", message_id="059f36b4-87a3-44ab-83d2-661975830a7d", receive_count=2))
    other = envelope(make_record())

    # Pinned: a changed namespace would store every message in flight twice.
    assert first.log_id == again.log_id == "0b84807648f05457afb33e974835d73a"
    assert other.log_id != first.log_id


def test_a_message_sent_again_keeps_its_first_identity() -> None:
    first_sent = "2026-11-20T10:00:00.000000+00:00"

    known = envelope(make_record(attributes={"log-id": HEX.upper(), "log-sent-at": first_sent}))

    assert known.log_id == HEX
    assert known.sent_at == datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.mark.parametrize("text", ["nonsense", (SENT_AT + timedelta(days=400)).isoformat()])
def test_a_first_time_that_makes_no_sense_is_passed_over(text: str) -> None:
    assert envelope(make_record(attributes={"log-sent-at": text})).sent_at == SENT_AT


def test_an_id_that_is_none_is_passed_over() -> None:
    message_id = "059f36b4-87a3-44ab-83d2-661975830a7d"

    known = envelope(make_record(message_id=message_id, attributes={"log-id": "nonsense"}))

    assert known.log_id == envelope(make_record(message_id=message_id)).log_id


def test_binary_attributes_of_those_names_are_passed_over() -> None:
    known = envelope(make_record(attributes={"log-id": b"\xff", "log-sent-at": b"\xff"}))

    assert known.sent_at == SENT_AT
