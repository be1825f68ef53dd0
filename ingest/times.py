"""Timestamps in one format, UTC with six decimals, so that they sort as text.

A copy of `logs/times.py`: the client must not import `logs`, because an application may have a package of
that name. A test compares both.
"""

from datetime import UTC, datetime


def as_utc(moment: datetime) -> datetime:
    """Return a datetime in UTC. A naive datetime is read as UTC.

    Raise ValueError if the result is outside the years 1 to 9999.
    """
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{moment.isoformat()} is outside the years 1 to 9999 in UTC") from error


def to_text(moment: datetime) -> str:
    """Return a datetime as `2026-11-23T22:44:00.123456+00:00`.

    A naive datetime is read as UTC. Raise ValueError as `as_utc` does.
    """
    return as_utc(moment).isoformat(timespec="microseconds")


def parse(text: str) -> datetime:
    """Return an ISO 8601 date or time as a datetime in UTC.

    A text without an offset is read as UTC. Raise ValueError if the text is not valid.
    """
    return as_utc(datetime.fromisoformat(text))
