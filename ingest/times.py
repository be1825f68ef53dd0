"""The one spelling of a time: UTC, six decimals, so that text order is time order."""

from datetime import UTC, datetime


def as_utc(moment: datetime) -> datetime:
    """Return `moment` in UTC; one without an offset is read as UTC.

    Raises ValueError for a moment that leaves the years 1 to 9999 on conversion.
    """
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{moment.isoformat()} is outside the years 1 to 9999 in UTC") from error


def to_text(moment: datetime) -> str:
    """Spell a moment as `2026-11-23T22:44:00.123456+00:00`; naive input is read as UTC."""
    return as_utc(moment).isoformat(timespec="microseconds")


def parse(text: str) -> datetime:
    """Read an ISO 8601 time or date with any offset or none, as a moment in UTC.

    Raises ValueError where the text is no such time.
    """
    return as_utc(datetime.fromisoformat(text))
