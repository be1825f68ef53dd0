"""Days and times as people write them: `24 Nov 09:00`, `yesterday`, ISO 8601. No Django."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import NamedTuple

from logs.local_clock import DAY, first_moment, last_moment, midnight

# A day and a microsecond can be added to these years, and subtracted.
FIRST_YEAR, LAST_YEAR = 2, 9998

MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MIN_LETTERS = 3

CLOCK = r"\d{1,2}(?::\d\d(?::\d\d(?:[.,]\d{1,6})?)?)?"
OFFSET = r" ?(?:z|utc)|[+-]\d\d(?::?\d\d)?"
ISO_MOMENT = re.compile(rf"(\d{{4}}-\d\d-\d\d)[t ]({CLOCK}) ?({OFFSET})?")
ISO_BASIC = re.compile(rf"(\d{{4}})(\d\d)(\d\d)t(\d\d)(\d\d)?(\d\d)?({OFFSET})?")
ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d|\d{8}|\d{4}-w\d\d-\d")
DOTTED_DAY = re.compile(r"^(\d{1,2})\.(\d{1,2})\.(\d{4})$")
ISO_MONTH = re.compile(r"(\d{4})-(\d\d)")
MONTH_DAY = re.compile(r"(\d{1,2})(?:\.|st|nd|rd|th)? ([a-z]+)\.?,?(?: (\d{4}))?")
DAY_OF_MONTH = re.compile(r"([a-z]+)\.? (\d{1,2})(?:st|nd|rd|th)?,?(?: (\d{4}))?")
MONTH_OF_YEAR = re.compile(r"([a-z]+)\.? (\d{4})")
DAY_AND_CLOCK = re.compile(rf"(?:(.+?),? )?(?:at )?({CLOCK}) ?(z|utc)?")
PERIOD = re.compile(r"(this|last) (week|month|year)")
DAYS_AGO = {"today": 0, "yesterday": 1, "tomorrow": -1}
# 29 February is in each of these years at least once, except around 1900 and 2100.
LEAP_YEARS = 8


class InvalidTime(ValueError):
    """A text is no day and no time. Its own text says why, or is empty."""


@dataclass(frozen=True)
class Bounds:
    """The range that a text names: a whole day, or the minute of `09:00`.

    `end_of_range` is where a range ends that is written with this text last: at the end of a day, and at a
    clock time itself. `day` is the day of the text, and `lacks_year` whether the text has no year.
    """

    start: datetime
    end: datetime
    end_of_range: datetime
    day: date | None = None
    is_relative: bool = False
    has_clock: bool = False
    lacks_year: bool = False


class Days(NamedTuple):
    """Whole days, from the first to the one before `end`."""

    first: date
    end: date
    is_relative: bool = False
    lacks_year: bool = False


class Clock(NamedTuple):
    """A time after midnight and its smallest unit: a minute for `09:00`."""

    after_midnight: timedelta
    unit: timedelta


def read_bounds(
    text: str,
    today: date,
    zone: tzinfo,
    *,
    day: date | None = None,
    not_before: date | None = None,
    not_after: date | None = None,
) -> Bounds:
    """Return the range that a text in lower case names. Raises InvalidTime.

    - A clock without a day is on `day`, or today.
    - A day without a year is the last one up to `not_after`, or today; or the first one from `not_before`.
    """
    if match := ISO_MOMENT.fullmatch(text):
        return _moment(_iso_day(match[1]), read_clock(match[2]), _zone(match[3], zone))
    if match := ISO_BASIC.fullmatch(text):
        year, month, day_of_month, *clock = match.groups()[:6]
        on = _date(int(year), int(month), int(day_of_month))
        return _moment(on, read_clock(":".join(filter(None, clock))), _zone(match[7], zone))
    reader = _DayReader(not_after or today, not_before)
    if days := reader.read(text, today):
        start, end = midnight(days.first, zone), midnight(days.end, zone)
        return Bounds(start, end, end, days.first, days.is_relative, lacks_year=days.lacks_year)
    match = DAY_AND_CLOCK.fullmatch(text)
    if not match:
        raise InvalidTime
    if match[1] is None:
        days = Days(day or today, (day or today) + DAY, is_relative=day is None)
    elif not (days := reader.read(match[1], today)) or days.end - days.first != DAY:
        raise InvalidTime
    return _moment(days.first, read_clock(match[2]), _zone(match[3], zone), days)


def is_clock(text: str) -> bool:
    """Return whether a text is a time of day without a day."""
    return re.fullmatch(CLOCK, text) is not None


def read_clock(text: str) -> Clock:
    """Return a time of day, from 0 to 24 hours. Raises InvalidTime."""
    hours, minutes, seconds = ([*re.split(":", text), "0", "0"])[:3]
    whole, _, fraction = seconds.replace(",", ".").partition(".")
    after = timedelta(
        hours=int(hours), minutes=int(minutes), seconds=int(whole), microseconds=int(f"{fraction:0<6}")
    )
    if int(minutes) > 59 or int(whole) > 59 or after > DAY:
        raise InvalidTime(f"{text} is no time from 00:00 to 24:00")
    units = (timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1))
    unit = timedelta(microseconds=10 ** (6 - len(fraction))) if fraction else units[text.count(":")]
    return Clock(after, unit)


def read_clocks(day: date, first: str, last: str) -> tuple[datetime, datetime]:
    """Return two times of day as clock times. If the second is not later, it is on the next day.

    Raises InvalidTime.
    """
    start, end = (datetime.combine(day, time()) + read_clock(text).after_midnight for text in (first, last))
    if start == end:
        raise InvalidTime("it ends when it begins")
    return start, end if end > start else end + DAY


def _moment(day: date, clock: Clock, zone: tzinfo, days: Days | None = None) -> Bounds:
    local = datetime.combine(day, time()) + clock.after_midnight
    start, end = first_moment(local, zone), last_moment(local + clock.unit, zone)
    if start >= end:
        raise InvalidTime("the clocks skip this time on that day")
    return Bounds(
        start,
        end,
        last_moment(local, zone),
        day,
        is_relative=days is not None and days.is_relative,
        has_clock=True,
        lacks_year=days is not None and days.lacks_year,
    )


def _zone(offset: str | None, zone: tzinfo) -> tzinfo:
    """Return the zone of an offset such as `+02:00`, or `zone` without an offset."""
    if not offset:
        return zone
    if offset.strip() in ("z", "utc"):
        return UTC
    digits = offset[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    if hours > 23 or minutes > 59:
        raise InvalidTime(f"{offset} is no offset from UTC")
    length = timedelta(hours=hours, minutes=minutes)
    return timezone(-length if offset[0] == "-" else length)


class _DayReader:
    """Reads days. A day without a year is the last one up to a day, or the first one from a day."""

    def __init__(self, not_after: date, not_before: date | None) -> None:
        self.not_after = not_after
        self.not_before = not_before

    def read(self, text: str, today: date) -> Days | None:
        """Return the days of a text, or None for another text. Raises InvalidTime."""
        text = DOTTED_DAY.sub(lambda day: f"{day[3]}-{day[2]:0>2}-{day[1]:0>2}", text)
        if text in DAYS_AGO:
            day = today - DAYS_AGO[text] * DAY
            return Days(day, day + DAY, is_relative=True)
        if (number := _number(text, WEEKDAYS)) is not None:
            day = today - (today.weekday() - number) % 7 * DAY
            return Days(day, day + DAY, is_relative=True)
        if match := PERIOD.fullmatch(text):
            return _period(match[2], today, is_last=match[1] == "last")
        if ISO_DAY.fullmatch(text):
            day = _iso_day(text)
            return Days(day, day + DAY)
        if match := ISO_MONTH.fullmatch(text):
            return _month(int(match[1]), int(match[2]))
        if match := MONTH_OF_YEAR.fullmatch(text):
            if (number := _number(match[1], MONTHS)) is not None:
                return _month(int(match[2]), number + 1)
            return None
        if match := MONTH_DAY.fullmatch(text):
            return self._day(match[2], int(match[1]), match[3])
        if match := DAY_OF_MONTH.fullmatch(text):
            return self._day(match[1], int(match[2]), match[3])
        return None

    def _day(self, month: str, day_of_month: int, year: str | None) -> Days | None:
        number = _number(month, MONTHS)
        if number is None:
            return None
        nth = number + 1
        day = _date(int(year), nth, day_of_month) if year else self._nearest(nth, day_of_month)
        return Days(day, day + DAY, lacks_year=not year)

    def _nearest(self, month: int, day_of_month: int) -> date:
        base, step = (self.not_before, 1) if self.not_before else (self.not_after, -1)
        for distance in range(LEAP_YEARS + 1):
            try:
                day = date(base.year + step * distance, month, day_of_month)
            except ValueError:
                continue
            if (day >= base) if self.not_before else (day <= base):
                return day
        raise InvalidTime(f"there is no {day_of_month} {MONTHS[month - 1].capitalize()}")


def _period(unit: str, today: date, *, is_last: bool) -> Days:
    """Return this or the last week, month or year. Weeks begin on Monday."""
    if unit == "week":
        first = today - today.weekday() * DAY - (7 * DAY if is_last else 0 * DAY)
        return Days(first, first + 7 * DAY, is_relative=True)
    if unit == "year":
        year = today.year - is_last
        return Days(_date(year, 1, 1), _date(year + 1, 1, 1), is_relative=True)
    first = today.replace(day=1)
    if is_last:
        first = (first - DAY).replace(day=1)
    return _month(first.year, first.month)._replace(is_relative=True)


def _month(year: int, month: int) -> Days:
    first = _date(year, month, 1)
    return Days(first, _date(year + month // 12, month % 12 + 1, 1))


def _number(text: str, names: tuple[str, ...]) -> int | None:
    """Return the number of a name from 0, which may be shortened to three letters, or None."""
    if len(text) < MIN_LETTERS:
        return None
    return next((number for number, each in enumerate(names) if each.startswith(text)), None)


def _iso_day(text: str) -> date:
    try:
        return date.fromisoformat(text.upper())
    except ValueError as error:
        raise InvalidTime(f"there is no day {text.upper()}") from error


def _date(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise InvalidTime(f"there is no day {year:04}-{month:02}-{day:02}") from error
