"""From the clock of a time zone to moments. Clocks skip and repeat times. No Django."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAY = timedelta(days=1)
MIDNIGHT = time()


def first_moment(local: datetime, zone: tzinfo) -> datetime:
    """Return the first moment at which the clock shows a time, in UTC.

    A time that the clock skips is the moment when the clock changes.
    """
    return _moments(local, zone)[0]


def last_moment(local: datetime, zone: tzinfo) -> datetime:
    """Return the last moment at which the clock shows a time, in UTC.

    A time that the clock skips is the moment when the clock changes.
    """
    return _moments(local, zone)[1]


def midnight(day: date, zone: tzinfo) -> datetime:
    """Return the moment when a day begins, in UTC."""
    return first_moment(datetime.combine(day, MIDNIGHT), zone)


def _moments(local: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    first, last = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first > last:
        change = _change(last, first, zone)
        return change, change
    return first, last


def _change(low: datetime, high: datetime, zone: tzinfo) -> datetime:
    """Return the second between two moments at which the offset of a zone changes."""
    before = low.astimezone(zone).utcoffset()
    first, last = int(low.timestamp()), int(high.timestamp())
    while last - first > 1:
        middle = (first + last) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == before:
            first = middle
        else:
            last = middle
    return datetime.fromtimestamp(last, UTC)
