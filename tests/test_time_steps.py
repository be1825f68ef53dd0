"""The bars of a histogram fit its range, and days begin at midnight of the page's time zone."""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from logs.digests.moments import DAY, MICROSECOND, to_moment, to_time
from logs.pages.time_steps import bar_starts, choose_step

BERLIN, KATHMANDU = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kathmandu")


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(minutes=15), "1 minute"),
        (timedelta(hours=1), "1 minute"),
        (timedelta(hours=2), "5 minutes"),
        (timedelta(hours=5), "15 minutes"),
        (timedelta(hours=6), "1 hour"),
        (timedelta(days=1), "1 hour"),
        (timedelta(days=7), "3 hours"),
        (timedelta(days=30), "1 day"),
        (timedelta(days=365), "1 week"),
        (timedelta(days=3_650), "7 weeks"),
    ],
)
def test_step_fits_the_range(length: timedelta, text: str) -> None:
    step = choose_step(length // MICROSECOND, by_day=False)
    assert step.text == text
    assert length // MICROSECOND / step.length <= 76


def test_step_of_a_filter_that_days_count() -> None:
    assert choose_step(3 * DAY, by_day=True).text == "1 hour"
    assert choose_step(7 * DAY, by_day=True).text == "1 day"


def moments(start: datetime, end: datetime, zone: tzinfo, **options: bool) -> list[datetime]:
    low, high = to_moment(start), to_moment(end)
    counted = {"by_day": False, "by_hour": False, **options}
    step = choose_step(high - low, by_day=counted["by_day"])
    return list(map(to_time, bar_starts(low, high, step, zone, **counted)))


@pytest.mark.parametrize(
    ("zone", "options", "clock"),
    [
        (UTC, {}, "00:00"),
        (BERLIN, {"by_hour": True}, "22:00"),
        # Digests count whole hours, or whole days, of UTC.
        (KATHMANDU, {"by_hour": True}, "00:00"),
        (BERLIN, {"by_day": True}, "00:00"),
        (KATHMANDU, {}, "18:15"),
    ],
)
def test_days_begin_at_midnight_if_digests_allow(zone: tzinfo, options: dict[str, bool], clock: str) -> None:
    start = datetime(2026, 9, 1, 12, tzinfo=UTC)
    bars = moments(start, start + timedelta(days=20), zone, **options)
    assert {f"{each:%H:%M}" for each in bars} == {clock}
    assert bars[0] <= start < bars[1]
    assert len(bars) == 21


def test_bars_of_a_day_with_25_hours() -> None:
    start = datetime(2026, 10, 24, 22, tzinfo=UTC)
    bars = moments(start, start + timedelta(days=7), BERLIN, by_hour=True)
    clocks = [f"{each.astimezone(BERLIN):%H}" for each in bars[:10]]
    assert clocks == ["00", "02", "05", "08", "11", "14", "17", "20", "23", "00"]


def test_weeks_begin_on_monday() -> None:
    bars = moments(datetime(2026, 1, 1, 8, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC), BERLIN)
    assert {each.astimezone(BERLIN).weekday() for each in bars} == {0}
    assert bars[0] == datetime(2025, 12, 28, 23, tzinfo=UTC)
    long_ago = moments(datetime(1, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC), BERLIN)
    assert {each.weekday() for each in long_ago} == {0}
    assert len(long_ago) <= 76
