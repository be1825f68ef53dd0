"""The bars of a histogram: steps of time that fit a range. No Django."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo

from logs.digests.moments import DAY, MICROSECOND, to_moment, to_time
from logs.local_clock import midnight
from logs.reading.count_result import HOUR

MINUTE = timedelta(minutes=1) // MICROSECOND
WEEK = 7 * DAY
# The first Monday after 1970.
MONDAY = 4 * DAY
# The bars of a longer range are several weeks.
MAX_WEEKS = 75
# A longer range of a filter that only days count has bars of days.
MAX_HOURS = 3 * DAY


@dataclass(frozen=True)
class Step:
    """The length of a bar in microseconds, and in words."""

    length: int
    text: str


# The longest range of each step: at most 75 bars fit on a phone.
STEPS = (
    (75 * MINUTE, Step(MINUTE, "1 minute")),
    (3 * HOUR, Step(5 * MINUTE, "5 minutes")),
    # Shorter ranges are read from the index, longer ones from the counts by hour.
    (6 * HOUR - 1, Step(15 * MINUTE, "15 minutes")),
    (3 * DAY, Step(HOUR, "1 hour")),
    (9 * DAY, Step(3 * HOUR, "3 hours")),
    (75 * DAY, Step(DAY, "1 day")),
    (MAX_WEEKS * WEEK, Step(WEEK, "1 week")),
)


def choose_step(length: int, *, by_day: bool) -> Step:
    """Return the step of a range. `by_day` is whether digests count days of its filter, but no hours."""
    for limit, step in STEPS:
        if length <= limit and not (by_day and length > MAX_HOURS and step.length < DAY):
            return step
    weeks = -(-length // (MAX_WEEKS * WEEK))
    return Step(weeks * WEEK, f"{weeks} weeks")


def starts(start: int, end: int, step: Step, zone: tzinfo) -> list[int]:
    """Return the first moments of the bars of a range. Days and weeks begin at midnight in the zone."""
    length = step.length
    if length > WEEK:
        moments = range((start - MONDAY) // length * length + MONDAY, end, length)
        # The first Monday may be before all times.
        return [max(moment, start) for moment in moments]
    if length <= HOUR:
        return list(range(start // length * length, end, length))
    local = list(_local_starts(start, end, length, zone))
    return local[max(0, bisect_right(local, start) - 1) :]


def _local_starts(start: int, end: int, length: int, zone: tzinfo) -> Iterator[int]:
    """Yield the first moments of bars of hours, days or weeks from midnight on."""
    day = to_time(start).astimezone(zone).date()
    if length == WEEK:
        day -= timedelta(days=day.weekday())
    moment = to_moment(midnight(day, zone))
    while moment < end:
        day += timedelta(days=max(1, length // DAY))
        following = to_moment(midnight(day, zone))
        # A day in which the clock changes has 23 or 25 hours.
        yield from range(moment, min(following, end), length) if length < DAY else [moment]
        moment = following


def is_hourly(moments: list[int]) -> bool:
    """Return whether all bars but the first begin at a whole hour of UTC."""
    return not any(moment % HOUR for moment in moments[1:])


def bar_starts(start: int, end: int, step: Step, zone: tzinfo, *, by_day: bool, by_hour: bool) -> list[int]:
    """Return the first moments of the bars.

    Days are those of UTC if digests could not count those of the zone.
    """
    moments = starts(start, end, step, zone)
    needs_utc = (by_day and step.length >= DAY) or ((by_hour or by_day) and not is_hourly(moments))
    if needs_utc and step.length >= HOUR:
        return starts(start, end, step, UTC)
    return moments
