"""Exponential backoff with jitter."""

from itertools import islice

import pytest

from ingest.wire.backoff import backoff


def test_backoff_doubles_up_to_its_maximum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    assert [*islice(backoff(0.5, 3.0), 5)] == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_backoff_jitter_stays_between_half_and_full() -> None:
    delays = [next(backoff(1.0, 8.0)) for _ in range(1000)]
    assert all(0.5 <= delay <= 1.0 for delay in delays)
    assert max(delays) - min(delays) > 0.1


def test_backoff_starts_again_with_each_call() -> None:
    assert all(delay <= 1.0 for delay in (next(backoff(1.0, 8.0)), next(backoff(1.0, 8.0))))
