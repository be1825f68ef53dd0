"""Moments: times as microseconds since 1970, which digests store."""

from datetime import UTC, date, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# The first moment of all, and the one after the last.
FIRST = (datetime.min.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
END = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MICROSECOND + 1
DAY = timedelta(days=1) // MICROSECOND


def to_moment(time: datetime) -> int:
    """Return the microseconds from 1970 to a time, which are negative before that."""
    return (time - EPOCH) // MICROSECOND


def to_time(moment: int) -> datetime:
    """Return the time of a moment in UTC."""
    return EPOCH + moment * MICROSECOND


def day_of(moment: int) -> date:
    """Return the UTC day of a moment."""
    return to_time(moment).date()


def day_start(day: date) -> int:
    """Return the first moment of a UTC day."""
    return to_moment(datetime(day.year, day.month, day.day, tzinfo=UTC))
