"""Time ranges as the page writes them, so that `logs.time_range` reads the same range. No Django."""

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo

from logs.local_clock import DAY, first_moment, last_moment, midnight

Reading = Callable[[datetime, tzinfo], datetime]


def write_range(start: datetime | None, end: datetime | None, zone: tzinfo) -> str:
    """Return a range in a time zone: `24 Nov 2026 09:00 - 10:00`. It is absolute."""
    if start and end:
        return _write_closed(start, end, zone)
    if start:
        return f"from {write_moment(start, zone)}"
    return f"before {write_moment(end, zone)}" if end else ""


def write_moment(moment: datetime, zone: tzinfo, reading: Reading = first_moment) -> str:
    """Return a moment in a time zone: `24 Nov 2026 09:00`.

    It is ISO 8601 in UTC if `reading` would read the clock time as another moment.
    """
    local = moment.astimezone(zone).replace(tzinfo=None)
    if reading(local, zone) != moment:
        return f"{_short(moment.astimezone(UTC).replace(tzinfo=None).isoformat())}Z"
    return f"{_day(local)} {_clock(local)}"


def _write_closed(start: datetime, end: datetime, zone: tzinfo) -> str:
    first, last = (moment.astimezone(zone).replace(tzinfo=None) for moment in (start, end))
    if midnight(first.date(), zone) == start and midnight(last.date(), zone) == end and first < last:
        last_day = last - DAY
        return _day(first) if first.date() == last_day.date() else f"{_day(first)} - {_day(last_day)}"
    is_same_day = first.date() == last.date() and first < last
    if is_same_day and first_moment(first, zone) == start and last_moment(last, zone) == end:
        return f"{_day(first)} {_clock(first)} - {_clock(last)}"
    return f"{write_moment(start, zone)} - {write_moment(end, zone, last_moment)}"


def _day(local: datetime) -> str:
    return f"{local.day} {local:%b} {local.year:04}"


def _clock(local: datetime) -> str:
    return _short(local.time().isoformat())


def _short(text: str) -> str:
    """Return a clock without seconds if they are zero, and without zeros at the end of a fraction."""
    if "." in text:
        return text.rstrip("0")
    return text.removesuffix(":00") if text.count(":") == 2 else text
