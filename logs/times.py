"""The stored format of a time: UTC with six decimals. Text order is time order."""

import re
from datetime import UTC, datetime

STORED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", re.ASCII)


def as_utc(moment: datetime) -> datetime:
    """Return `moment` in UTC; without an offset it is UTC already.

    Raises ValueError for a moment outside the years 1 to 9999 in UTC.
    """
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{moment.isoformat()} is outside the years 1 to 9999 in UTC") from error


def to_text(moment: datetime) -> str:
    """Return a moment as `2026-11-23T22:44:00.123456+00:00`; without an offset it is UTC."""
    return as_utc(moment).isoformat(timespec="microseconds")


def parse(text: str) -> datetime:
    """Return an ISO 8601 time or date in UTC. Without an offset it is UTC.

    Raises ValueError for any other text.
    """
    return as_utc(datetime.fromisoformat(text))


def stored(text: str) -> str:
    """Return a time in the stored format, in which it usually is.

    Raises ValueError for a text that is no time.
    """
    return text if STORED.fullmatch(text) else to_text(parse(text))
