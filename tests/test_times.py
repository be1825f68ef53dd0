"""Timestamps have one format, so that they sort as text. `ingest` and `logs` agree on it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, strategies

import ingest.times
import logs.times
from logs import times
from logs.models import TimeAttribute

PARIS = timezone(timedelta(hours=1))
TEXTS = [
    "2026-11-23T22:44:00.5+00:00",
    "2026-11-23T23:44:00.5+01:00",
    "2026-11-23T22:44:00.500000Z",
    "2026-11-23 22:44:00.500",
    "20261123T224400.5",
]
INVALID_TEXTS = ["", "yesterday", "2026-13-01", "0001-01-01T00:00+14:00", "9999-12-31T23:00-02:00"]
OFFSETS = strategies.builds(
    timezone, strategies.timedeltas(timedelta(hours=-23, minutes=-59), timedelta(hours=23, minutes=59))
)
DATETIMES = strategies.datetimes(timezones=strategies.none() | OFFSETS)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 11, 23, 22, 44, 0, 123456, UTC), "2026-11-23T22:44:00.123456+00:00"),
        (datetime(2026, 11, 23, 22, 44, tzinfo=UTC), "2026-11-23T22:44:00.000000+00:00"),
        (datetime(2026, 11, 23, 22, 44, tzinfo=PARIS), "2026-11-23T21:44:00.000000+00:00"),
        (datetime(2026, 11, 23, 22, 44), "2026-11-23T22:44:00.000000+00:00"),  # noqa: DTZ001  naive on purpose
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000000+00:00"),
    ],
)
def test_to_text_is_utc_with_six_decimals(moment: datetime, text: str) -> None:
    assert times.to_text(moment) == text
    assert TimeAttribute().serialize(moment) == text
    assert TimeAttribute().deserialize(text) == times.as_utc(moment)


@pytest.mark.parametrize("text", TEXTS)
def test_parse_accepts_iso_8601_formats(text: str) -> None:
    assert times.parse(text) == datetime(2026, 11, 23, 22, 44, 0, 500000, UTC)


def test_to_text_sorts_like_time() -> None:
    moments = [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(999, 12, 31, 23, 59, 59, 999999, UTC),
        datetime(2026, 1, 1, 0, 0, 0, 0, UTC),
        datetime(2026, 1, 1, 0, 0, 0, 1, UTC),
        datetime(2026, 1, 1, 0, 59, tzinfo=timezone(timedelta(hours=-1))),
        datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
    ]
    assert [times.to_text(moment) for moment in moments] == sorted(times.to_text(m) for m in moments)


@pytest.mark.parametrize("text", INVALID_TEXTS)
def test_parse_rejects_other_texts(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        times.parse(text)


def result(function: Callable[[Any], object], value: object) -> object:
    """Return a function's result, or ValueError if it raises one."""
    try:
        return function(value)
    except ValueError:
        return ValueError


@pytest.mark.parametrize("text", [*TEXTS, *INVALID_TEXTS, "2026-11-23", "2026-11-23T22:44:00+23:59"])
def test_ingest_and_logs_parse_the_same(text: str) -> None:
    assert result(ingest.times.parse, text) == result(logs.times.parse, text)


@given(DATETIMES)
def test_ingest_and_logs_format_the_same(moment: datetime) -> None:
    for function in ("as_utc", "to_text"):
        ingest_result = result(getattr(ingest.times, function), moment)
        assert ingest_result == result(getattr(logs.times, function), moment)


@given(DATETIMES)
def test_ingest_and_logs_parse_any_offset_the_same(moment: datetime) -> None:
    assert result(ingest.times.parse, moment.isoformat()) == result(logs.times.parse, moment.isoformat())


@pytest.mark.parametrize("text", TEXTS)
def test_time_in_another_format_is_converted_to_the_stored_one(text: str) -> None:
    stored = "2026-11-23T22:44:00.500000+00:00"
    assert logs.times.stored(text) == logs.times.stored(stored) == stored


@pytest.mark.parametrize("text", [*INVALID_TEXTS, "2026-11-23T22:44:00.500000+00:00><script>"])
def test_text_that_is_no_time_has_no_stored_format(text: str) -> None:
    with pytest.raises(ValueError, match=r"isoformat|month|outside"):
        logs.times.stored(text)
