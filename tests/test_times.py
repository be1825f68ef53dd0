"""A time has one spelling, so that text order is time order."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from logs import times
from logs.models import TimeAttribute

PARIS = timezone(timedelta(hours=1))


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
def test_a_moment_is_spelled_in_utc_with_six_decimals(moment: datetime, text: str) -> None:
    assert times.to_text(moment) == text
    assert TimeAttribute().serialize(moment) == text
    assert TimeAttribute().deserialize(text) == times.as_utc(moment)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T22:44:00.5+00:00",
        "2026-11-23T23:44:00.5+01:00",
        "2026-11-23T22:44:00.500000Z",
        "2026-11-23 22:44:00.500",
        "20261123T224400.5",
    ],
)
def test_any_iso_time_is_read_as_the_same_moment(text: str) -> None:
    assert times.parse(text) == datetime(2026, 11, 23, 22, 44, 0, 500000, UTC)


def test_text_order_is_time_order() -> None:
    moments = [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(999, 12, 31, 23, 59, 59, 999999, UTC),
        datetime(2026, 1, 1, 0, 0, 0, 0, UTC),
        datetime(2026, 1, 1, 0, 0, 0, 1, UTC),
        datetime(2026, 1, 1, 0, 59, tzinfo=timezone(timedelta(hours=-1))),
        datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
    ]
    assert [times.to_text(moment) for moment in moments] == sorted(times.to_text(m) for m in moments)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01", "0001-01-01T00:00+14:00", "9999-12-31T23:00-02:00"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        times.parse(text)
