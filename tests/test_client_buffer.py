"""Parts of the sender thread: the buffer, and the rate limit of warnings."""

import logging

import pytest

from ingest.sending import rate_limit
from ingest.sending.buffer import Buffer
from ingest.sending.outgoing import OutgoingLog
from ingest.sending.rate_limit import RateLimitedLogger, SendWarning


def outgoing(*numbers: int) -> list[OutgoingLog]:
    return [OutgoingLog(str(number), "x" * 100) for number in numbers]


def filled(*numbers: int, max_logs: int = 100, max_bytes: int = 100_000) -> Buffer:
    buffer = Buffer(max_logs, max_bytes)
    for log in outgoing(*numbers):
        buffer.append(log)
    return buffer


def test_buffer_has_space_within_both_limits() -> None:
    [log] = outgoing(0)
    assert filled(1, 2, max_logs=3).has_space(log)
    assert not filled(1, 2, 3, max_logs=3).has_space(log)
    assert filled(1, 2, max_bytes=300).has_space(log)
    assert not filled(1, 2, max_bytes=299).has_space(log)


def test_buffer_returns_batches_in_order() -> None:
    buffer = filled(*range(13))
    assert buffer.has_batch()
    assert buffer.next_batch() == outgoing(*range(10))
    assert not buffer.has_batch()
    assert buffer.next_batch() == outgoing(10, 11, 12)
    assert buffer.next_batch() == []


def test_buffer_is_empty_after_the_last_acknowledgement() -> None:
    buffer = filled(1, 2)
    batch = buffer.next_batch()
    assert (len(buffer), buffer.is_empty()) == (0, False)
    buffer.acknowledge(batch[1:])
    assert not buffer.is_empty()
    buffer.acknowledge()
    assert buffer.is_empty()


def test_requeue_restores_order_and_size() -> None:
    buffer = filled(*range(12), max_bytes=1200)
    batch = buffer.next_batch()
    buffer.acknowledge(batch[4:])
    buffer.requeue()
    assert len(buffer) == 8
    assert not buffer.has_space(OutgoingLog("", "x" * 401))
    assert buffer.has_space(OutgoingLog("", "x" * 400))
    assert buffer.drain() == outgoing(*range(4, 12))


def test_drain_returns_logs_in_flight_first() -> None:
    buffer = filled(*range(12))
    batch = buffer.next_batch()
    assert buffer.drain() == outgoing(*range(12))
    buffer.acknowledge(batch)  # the thread finishes its batch after `drain`
    assert buffer.is_empty()


def test_warnings_are_logged_once_per_kind_and_interval(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = 100.0
    monkeypatch.setattr("ingest.sending.rate_limit.time.monotonic", lambda: now)
    limited = RateLimitedLogger()
    with caplog.at_level(logging.WARNING, "ingest.client"):
        for kind, text in (("full", "1"), ("full", "2"), ("retry", "3")):
            limited.log(SendWarning(kind, text))
        now += rate_limit.WARNING_INTERVAL_SECONDS
        limited.log(SendWarning("full", "4"))
    assert caplog.messages == ["1", "3", "4"]
