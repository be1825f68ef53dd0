"""The time of a log as applications pass it. Naive times are local."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, time

from ingest import times


def system_zone(moment: datetime) -> datetime:
    """Return a naive time with the system's zone."""
    # `astimezone` is an hour wrong for a time that daylight saving time skips. Of later centuries the
    # microseconds exceed the precision of a timestamp.
    seconds = moment.replace(microsecond=0).timestamp()
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=moment.microsecond)


def to_utc(value: object, attach_zone: Callable[[datetime], datetime] = system_zone) -> object:
    """Return the time of a log in UTC. Return any other value unchanged, a text too.

    - A naive datetime is local time. `attach_zone` returns it with a zone, by default the system's. Its
      `fold` chooses one of two times at the end of daylight saving time.
    - A date is its midnight.
    - A number is in seconds since 1970, as `time.time` returns.
    - A time outside the years that the zone can convert is read as UTC.
    """
    with suppress(Exception):  # a number out of range, or no time at all (pandas.NaT)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, datetime):
            if value.utcoffset() is None:
                # Subclasses such as pandas.Timestamp convert naive times in another way.
                naive = datetime.combine(value.date(), value.time()).replace(fold=value.fold)
                return _attach(naive, attach_zone)
        elif isinstance(value, date):
            return _attach(datetime.combine(value, time.min), attach_zone)
    return value


def _attach(naive: datetime, attach_zone: Callable[[datetime], datetime]) -> datetime:
    try:
        return times.as_utc(attach_zone(naive))
    except (OverflowError, ValueError, OSError):  # years such as 1 and 9999
        return naive.replace(tzinfo=UTC)
