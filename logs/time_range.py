"""Time ranges as people write them: `yesterday 9-10`, `-2h`, ISO 8601. No Django.

A range is read in a time zone, by the rules of `docs/pages.md`.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo

from logs.characters import visible
from logs.local_clock import first_moment, last_moment
from logs.range_text import write_moment
from logs.time_text import (
    CLOCK,
    FIRST_YEAR,
    LAST_YEAR,
    Bounds,
    InvalidTime,
    is_clock,
    read_bounds,
    read_clocks,
)

MAX_TEXT = 100
MAX_QUOTED = 40
MINUTE = timedelta(minutes=1)

SPACES = re.compile(r"\s+")
DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))
UNITS = {
    "second": (r"s|sec|secs|seconds?", timedelta(seconds=1)),
    "minute": (r"m|min|mins|minutes?", timedelta(minutes=1)),
    "hour": (r"h|hrs?|hours?", timedelta(hours=1)),
    "day": (r"d|days?", timedelta(days=1)),
    "week": (r"w|weeks?", timedelta(weeks=1)),
}
ANY_UNIT = "|".join(f"(?P<{name}>{pattern})" for name, (pattern, _) in UNITS.items())
AGO = re.compile(rf"(?:-|last |past )? ?(\d{{1,5}}) ?(?:{ANY_UNIT})")
ONE_UNIT = re.compile(r"(?:last|past) (minute|hour|day)")
ISO_DURATION = re.compile(
    r"p(?=.)(?:(?P<weeks>\d{1,4})w)?(?:(?P<days>\d{1,5})d)?"
    r"(?:t(?=.)(?:(?P<hours>\d{1,5})h)?(?:(?P<minutes>\d{1,5})m)?(?:(?P<seconds>\d{1,5})s)?)?"
)
# `a..b`, `a/b`, `a to b`, `a - b`; without one of its ends, it is open.
SEPARATOR = re.compile(r" ?\.{2,3} ?| ?/ ?| (?:to|until|till) | - | ?-$|^- ")
SINCE = re.compile(r"(?:from|since|after) (.+)")
BEFORE = re.compile(r"before (.+)")
UNTIL = re.compile(r"(?:until|till|to) (.+)")
# `24 nov 9-10`: a day, then two clocks. In ISO 8601 a hyphen after a `T` begins an offset.
CLOCKS = re.compile(rf"(?:(?P<day>.+?),? )?(?P<first>{CLOCK}) ?- ?(?P<last>{CLOCK})(?P<zone> ?(?:z|utc))?")
# An open end of ISO 8601-2.
OPEN_START, OPEN_END = re.compile(r"^\.\. ?/ ?"), re.compile(r" ?/ ?\.\.$")

EXAMPLES = "24 Nov 09:00-10:00, yesterday 9-10, -2h, today, 2026-11-24 or 2026-11-24T09:00Z/2026-11-24T10:00Z"


class BadRange(ValueError):
    """A text is no time range, in words for the person who typed it."""


@dataclass(frozen=True)
class TimeRange:
    """A time range: `start` ≤ time < `end`, both in UTC. None is an open end.

    - `text` is the range as it was typed, without superfluous spaces.
    - `is_relative` is whether it means another range at another time.
    - `has_clock` is whether it names a time of day.
    - `duration` is set for a range such as `-2h`: `2 hours`.
    """

    start: datetime | None
    end: datetime | None
    text: str
    is_relative: bool = False
    has_clock: bool = False
    duration: str = ""


def parse(text: str, now: datetime, zone: tzinfo) -> TimeRange:
    """Return the time range of a text at the moment `now`. Raises BadRange."""
    text = SPACES.sub(" ", text.translate(DASHES).strip())
    if len(text) > MAX_TEXT:
        raise BadRange(f"A time range has at most {MAX_TEXT} characters. Write it as {EXAMPLES}.")
    try:
        time_range = _Reader(now, zone).read(OPEN_START.sub("/", OPEN_END.sub("/", text.casefold())))
    except InvalidTime as error:
        reason = f": {error}" if str(error) else ""
        raise BadRange(
            f"“{visible(text[:MAX_QUOTED])}” is not a time range{reason}. Write it as {EXAMPLES}."
        ) from error
    except OverflowError as error:
        raise BadRange(f"The year must be from {FIRST_YEAR} to {LAST_YEAR}.") from error
    for moment in (time_range.start, time_range.end):
        if moment and not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise BadRange(f"The year must be from {FIRST_YEAR} to {LAST_YEAR}.")
    if time_range.start and time_range.end and time_range.start >= time_range.end:
        raise BadRange(
            f"The time range “{visible(text[:MAX_QUOTED])}” must end after it begins, at "
            f"{write_moment(time_range.start, zone)}. It ends at {write_moment(time_range.end, zone)}."
        )
    return replace(time_range, text=text)


class _Reader:
    """Reads one text in lower case."""

    def __init__(self, now: datetime, zone: tzinfo) -> None:
        self.now = now
        self.zone = zone
        self.today = now.astimezone(zone).date()
        # The range includes the newest logs.
        self.end_of_now = now.replace(second=0, microsecond=0) + MINUTE

    def read(self, text: str) -> TimeRange:
        """Return the range without its text. Raises InvalidTime."""
        if match := AGO.fullmatch(ONE_UNIT.sub(r"last 1 \1", text)):
            return self._last(match)
        if match := CLOCKS.fullmatch(text):
            return self._clocks(match)
        if match := BEFORE.fullmatch(text):
            bounds = self._bounds(match[1])
            return _range(None, bounds.start, bounds)
        if match := UNTIL.fullmatch(text):
            return self._between(["", match[1]])
        if match := SINCE.fullmatch(text):
            ends = SEPARATOR.split(match[1])
            return self._between(ends if len(ends) > 1 else [match[1], ""])
        return self._between(SEPARATOR.split(text))

    def _last(self, match: re.Match[str]) -> TimeRange:
        """Return a range that ends now and covers at least the last minutes, hours or days."""
        number, unit = int(match[1]), str(match.lastgroup)
        duration = f"{number} {unit}s" if number != 1 else unit
        return TimeRange(self._ago(match), self.end_of_now, "", is_relative=True, duration=duration)

    def _ago(self, match: re.Match[str]) -> datetime:
        """Return the beginning of the minute, or of the second, that was so long ago."""
        unit = str(match.lastgroup)
        start = self.now - int(match[1]) * UNITS[unit][1]
        return start.replace(microsecond=0) if unit == "second" else start.replace(second=0, microsecond=0)

    def _clocks(self, match: re.Match[str]) -> TimeRange:
        """Return the range between two clock times of one day. The second may be on the next day."""
        day = self._bounds(match["day"] or "today")
        zone = UTC if match["zone"] else self.zone
        if day.day is None or day.has_clock:
            raise InvalidTime("it has no day before its times")
        first, last = read_clocks(day.day, match["first"], match["last"])
        start, end = first_moment(first, zone), last_moment(last, zone)
        if start >= end:
            raise InvalidTime("the clocks skip these times on that day")
        return TimeRange(start, end, "", is_relative=day.is_relative, has_clock=True)

    def _between(self, parts: list[str]) -> TimeRange:
        """Return the range between two texts. One of them may be empty."""
        if len(parts) == 1:
            bounds = self._bounds(parts[0])
            return _range(bounds.start, bounds.end, bounds)
        if len(parts) != 2:
            raise InvalidTime("it has more than two ends")
        first, last = parts
        if not first:
            bounds = self._bounds(last)
            return _range(None, bounds.end_of_range, bounds)
        if not last:
            bounds = self._bounds(first)
            return _range(bounds.start, None, bounds)
        if match := ISO_DURATION.fullmatch(last):
            start = self._bounds(first)
            return _range(start.start, start.start + _duration(match), start)
        if match := ISO_DURATION.fullmatch(first):
            end = self._bounds(last)
            return _range(end.end_of_range - _duration(match), end.end_of_range, end)
        return self._ends(first, last)

    def _ends(self, first: str, last: str) -> TimeRange:
        """Return the range between two times. A missing day or year is that of the other end."""
        start = self._bounds(first)
        if is_clock(last):
            if start.day is None:
                raise InvalidTime("it has no day")
            end = self._bounds(last, day=start.day)
            if end.end_of_range <= start.start:
                end = self._bounds(last, day=start.day + timedelta(days=1))
        else:
            end = self._bounds(last)
            if end.lacks_year and start.day:
                end = self._bounds(last, not_before=start.day)
            elif start.lacks_year and end.day:
                start = self._bounds(first, not_after=end.day)
        both = replace(
            start,
            is_relative=start.is_relative or end.is_relative,
            has_clock=start.has_clock or end.has_clock,
        )
        return _range(start.start, end.end_of_range, both)

    def _bounds(self, text: str, **context: date) -> Bounds:
        if text == "now":
            moment = self.end_of_now
            return Bounds(moment, moment, moment, is_relative=True, has_clock=True)
        if text.startswith("-") and (match := AGO.fullmatch(text)):
            start = self._ago(match)
            return Bounds(start, start, start, is_relative=True)
        return read_bounds(text, self.today, self.zone, **context)


def _range(start: datetime | None, end: datetime | None, bounds: Bounds) -> TimeRange:
    return TimeRange(start, end, "", is_relative=bounds.is_relative, has_clock=bounds.has_clock)


def _duration(match: re.Match[str]) -> timedelta:
    return timedelta(**{unit: int(number) for unit, number in match.groupdict().items() if number})
