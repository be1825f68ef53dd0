"""Time ranges as people write them, in UTC and in zones whose clocks skip and repeat times."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logs import zones
from logs.range_text import write_range
from logs.time_range import BadRange, TimeRange, parse

# A Thursday.
NOW = datetime(2026, 11, 26, 10, 3, 20, 5, UTC)
BERLIN = zones.parse("Europe/Berlin")


def utc(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def ends(time_range: TimeRange) -> tuple[datetime | None, datetime | None]:
    return time_range.start, time_range.end


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("24 Nov 09:00-10:00", "2026-11-24T09:00", "2026-11-24T10:00"),
        ("24 nov 9 – 10", "2026-11-24T09:00", "2026-11-24T10:00"),
        ("  24  November 2026 09:00  -  10:00 ", "2026-11-24T09:00", "2026-11-24T10:00"),
        ("Nov 24, 9 to 10", "2026-11-24T09:00", "2026-11-24T10:00"),
        ("24 Nov 2026 16:30 UTC", "2026-11-24T16:30", "2026-11-24T16:31"),
        ("24 Nov 22:00-02:00", "2026-11-24T22:00", "2026-11-25T02:00"),
        ("24 Nov 22 - 24:00", "2026-11-24T22:00", "2026-11-25"),
        ("24 Nov 22:00 - 25 Nov 02:00", "2026-11-24T22:00", "2026-11-25T02:00"),
        ("yesterday 9-10", "2026-11-25T09:00", "2026-11-25T10:00"),
        ("yesterday 9", "2026-11-25T09:00", "2026-11-25T10:00"),
        ("yesterday 09:00", "2026-11-25T09:00", "2026-11-25T09:01"),
        ("yesterday 23:59:59.5", "2026-11-25T23:59:59.5", "2026-11-25T23:59:59.6"),
        ("9-10", "2026-11-26T09:00", "2026-11-26T10:00"),
        ("-2h", "2026-11-26T08:03", "2026-11-26T10:04"),
        ("last 2 hours", "2026-11-26T08:03", "2026-11-26T10:04"),
        ("-15m", "2026-11-26T09:48", "2026-11-26T10:04"),
        ("-90s", "2026-11-26T10:01:50", "2026-11-26T10:04"),
        ("-7d", "2026-11-19T10:03", "2026-11-26T10:04"),
        ("-1w", "2026-11-19T10:03", "2026-11-26T10:04"),
        ("-2h - -1h", "2026-11-26T08:03", "2026-11-26T09:03"),
        ("yesterday 22 - now", "2026-11-25T22:00", "2026-11-26T10:04"),
        ("today", "2026-11-26", "2026-11-27"),
        ("yesterday", "2026-11-25", "2026-11-26"),
        ("Monday", "2026-11-23", "2026-11-24"),
        ("fri 9-10", "2026-11-20T09:00", "2026-11-20T10:00"),
        ("this week", "2026-11-23", "2026-11-30"),
        ("last week", "2026-11-16", "2026-11-23"),
        ("this month", "2026-11-01", "2026-12-01"),
        ("last month", "2026-10-01", "2026-11-01"),
        ("last year", "2025-01-01", "2026-01-01"),
        ("2026-11-24", "2026-11-24", "2026-11-25"),
        ("20261124", "2026-11-24", "2026-11-25"),
        ("24.11.2026", "2026-11-24", "2026-11-25"),
        ("1.9.2026 9-10", "2026-09-01T09:00", "2026-09-01T10:00"),
        ("last hour", "2026-11-26T09:03", "2026-11-26T10:04"),
        ("past day", "2026-11-25T10:03", "2026-11-26T10:04"),
        ("2026-W48-2", "2026-11-24", "2026-11-25"),
        ("2026-11", "2026-11-01", "2026-12-01"),
        ("Dec 2025", "2025-12-01", "2026-01-01"),
        ("24 Nov", "2026-11-24", "2026-11-25"),
        ("27 Nov", "2025-11-27", "2025-11-28"),
        ("29 Feb", "2024-02-29", "2024-03-01"),
        ("24 Nov - 3 Dec", "2026-11-24", "2026-12-04"),
        ("20 Dec - 5 Jan", "2025-12-20", "2026-01-06"),
        ("24 Nov - 26 Nov 2024", "2024-11-24", "2024-11-27"),
        ("2026-11-24T09:19:42.117Z", "2026-11-24T09:19:42.117", "2026-11-24T09:19:42.118"),
        ("20261124T0900Z", "2026-11-24T09:00", "2026-11-24T09:01"),
        ("2026-11-24T09:00+02:00", "2026-11-24T07:00", "2026-11-24T07:01"),
        # A time after a T has an offset, a time after a space does not.
        ("2026-11-24T09:00-10:00", "2026-11-24T19:00", "2026-11-24T19:01"),
        ("2026-11-24 09:00-10:00", "2026-11-24T09:00", "2026-11-24T10:00"),
        ("2026-11-24T09:00Z/2026-11-24T10:00Z", "2026-11-24T09:00", "2026-11-24T10:00"),
        ("2026-11-24T09:00Z/PT1H30M", "2026-11-24T09:00", "2026-11-24T10:30"),
        ("P1D/2026-11-24T09:00", "2026-11-23T09:00", "2026-11-24T09:00"),
        ("2026-11-24 - 2026-11-25", "2026-11-24", "2026-11-26"),
        ("2026-11-24..2026-11-25", "2026-11-24", "2026-11-26"),
        ("from 24 Nov to 25 Nov", "2026-11-24", "2026-11-26"),
        ("2026-11-24/..", "2026-11-24", None),
        ("24 Nov..", "2026-11-24", None),
        ("since yesterday 9", "2026-11-25T09:00", None),
        ("../2026-11-24", None, "2026-11-25"),
        ("until 24 Nov", None, "2026-11-25"),
        ("before 24 Nov", None, "2026-11-24"),
    ],
)
def test_text_is_a_range(text: str, start: str | None, end: str | None) -> None:
    assert ends(parse(text, NOW, UTC)) == (utc(start), utc(end))


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("24 Nov 09:00-10:00", "2026-11-24T08:00", "2026-11-24T09:00"),
        ("today", "2026-11-25T23:00", "2026-11-26T23:00"),
        ("24 Nov 2026 16:30 UTC", "2026-11-24T16:30", "2026-11-24T16:31"),
        ("2026-11-24T09:00Z", "2026-11-24T09:00", "2026-11-24T09:01"),
        # 23 and 25 hours.
        ("29 Mar", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("25 Oct", "2026-10-24T22:00", "2026-10-25T23:00"),
        # The clocks skip 02:00 to 03:00.
        ("29 Mar 01:30-02:30", "2026-03-29T00:30", "2026-03-29T01:00"),
        ("29 Mar 02:30-03:30", "2026-03-29T01:00", "2026-03-29T01:30"),
        # The clocks show 02:00 to 03:00 twice: from the first time to the second one.
        ("25 Oct 02:00-02:30", "2026-10-25T00:00", "2026-10-25T01:30"),
        ("25 Oct 02:30-03:00", "2026-10-25T00:30", "2026-10-25T02:00"),
        ("25 Oct 02:45", "2026-10-25T00:45", "2026-10-25T01:46"),
        ("2026-10-25T02:30+01:00..2026-10-25 03:00", "2026-10-25T01:30", "2026-10-25T02:00"),
        ("before 25 Oct 02:30", None, "2026-10-25T00:30"),
    ],
)
def test_clock_times_are_those_of_the_zone(text: str, start: str | None, end: str) -> None:
    assert ends(parse(text, NOW, BERLIN)) == (utc(start), utc(end))


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        # The clocks go from 00:00 to 01:00, and from 01:00 back to 00:00.
        ("Africa/Cairo", "24 Apr 2026", 23),
        ("Atlantic/Azores", "25 Oct 2026", 25),
        # By half an hour.
        ("Australia/Lord_Howe", "5 Apr 2026", 24.5),
        # A day that never was.
        ("Pacific/Apia", "29 Dec 2011", 24),
    ],
)
def test_days_join_without_gap_or_overlap(zone: str, day: str, hours: float) -> None:
    place = zones.parse(zone)
    start, end = ends(parse(day, NOW, place))
    assert start
    assert end
    assert end - start == timedelta(hours=hours)
    assert parse((end + timedelta(hours=1)).astimezone(place).date().isoformat(), NOW, place).start == end


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x", "“x” is not a time range. Write it as 24 Nov 09:00-10:00, yesterday 9-10"),
        ("9am", "not a time range"),
        ("", "not a time range"),
        ("-", "not a time range"),
        ("24/11/2026", "it has more than two ends"),
        ("a - b - c", "it has more than two ends"),
        ("30 Feb", "there is no 30 February"),
        ("30 Feb 2026", "there is no day 2026-02-30"),
        ("2026-13-01", "there is no day 2026-13-01"),
        ("24 Nov 24:01", "24:01 is no time from 00:00 to 24:00"),
        ("24 Nov 25-26", "25 is no time from 00:00 to 24:00"),
        ("24 Nov 10:00-10:00", "it ends when it begins"),
        ("2026-11-24T09:00+25:00", "+25:00 is no offset from UTC"),
        ("2026-11-25 - 2026-11-23", "must end after it begins"),
        ("now", "must end after it begins"),
        ("9999-12-31", "The year must be from 2 to 9998."),
        ("0001-01-01", "The year must be from 2 to 9998."),
        ("-99999w - -99998w - x", "more than two ends"),
        ("x" * 101, "at most 100 characters"),
        ("\u202e", "“\\u202e”"),
    ],
)
def test_other_text_is_an_error_with_its_rule(text: str, words: str) -> None:
    with pytest.raises(BadRange) as error:
        parse(text, NOW, UTC)
    assert words in str(error.value)


def test_skipped_time_is_an_error() -> None:
    for text in ("29 Mar 02:30", "29 Mar 02:15-02:45"):
        with pytest.raises(BadRange, match="the clocks skip"):
            parse(text, NOW, BERLIN)


@pytest.mark.parametrize(
    ("text", "is_relative", "has_clock"),
    [
        ("-2h", True, False),
        ("today", True, False),
        ("this week", True, False),
        ("yesterday 9-10", True, True),
        ("24 Nov", False, False),
        ("24 Nov 09:00-10:00", False, True),
        ("2026-11-24 - now", True, True),
    ],
)
def test_relative_range_is_marked(text: str, is_relative: bool, has_clock: bool) -> None:
    time_range = parse(text, NOW, UTC)
    assert (time_range.is_relative, time_range.has_clock) == (is_relative, has_clock)


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        ("2026-11-24T09:00", "2026-11-24T10:00", "24 Nov 2026 10:00 - 11:00"),
        ("2026-11-23T23:00", "2026-11-24T23:00", "24 Nov 2026"),
        ("2026-11-23T23:00", "2026-11-26T23:00", "24 Nov 2026 - 26 Nov 2026"),
        ("2026-11-24T09:00", None, "from 24 Nov 2026 10:00"),
        (None, "2026-11-24T09:00:00.5", "before 24 Nov 2026 10:00:00.5"),
        # The second 02:30.
        ("2026-10-25T01:30", "2026-10-25T02:00", "2026-10-25T01:30Z - 25 Oct 2026 03:00"),
        (None, None, ""),
    ],
)
def test_range_is_written_in_the_zone(start: str | None, end: str | None, text: str) -> None:
    assert write_range(utc(start), utc(end), BERLIN) == text


# Within days of the changes of clocks, to the microsecond.
CHANGES = [utc(day) for day in ("2026-03-29", "2026-10-25", "2026-04-05", "2026-10-04")]
MOMENTS = st.builds(
    lambda day, offset: day + offset,
    st.sampled_from([day for day in CHANGES if day]),
    st.one_of(
        st.integers(-60, 120).map(lambda halves: timedelta(minutes=30 * halves)),
        st.timedeltas(timedelta(days=-1), timedelta(days=2)),
    ),
)
ZONES = ["UTC", "Europe/Berlin", "Atlantic/Azores", "Australia/Lord_Howe", "America/Havana", "Asia/Kathmandu"]


@given(first=MOMENTS, second=MOMENTS, name=st.sampled_from(ZONES))
def test_written_range_is_read_again(first: datetime, second: datetime, name: str) -> None:
    start, end = sorted([first, second])
    zone = zones.parse(name)
    for each in [(start, None), (None, end), *([(start, end)] if start < end else [])]:
        assert ends(parse(write_range(*each, zone), NOW, zone)) == each


@given(text=st.text(alphabet="0123456789-:./ zthpdnovw+,", max_size=30), name=st.sampled_from(ZONES))
def test_any_text_is_a_range_or_an_error(text: str, name: str) -> None:
    try:
        time_range = parse(text, NOW, zones.parse(name))
    except BadRange:
        return
    if time_range.start and time_range.end:
        assert time_range.start < time_range.end
