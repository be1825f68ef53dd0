"""Any value as a text."""

from contextlib import suppress
from datetime import date, datetime, time

from ingest import times


def text_of(value: object) -> str:
    """Return a value as text, dates and times in ISO 8601. Never raise.

    A naive datetime stays naive: `2026-11-23T22:44:00.123456`. A text may have lone surrogates.
    """
    # Logging must not fail because an object's __str__ raises.
    with suppress(Exception):
        return _str(value)
    return f"({type(value).__name__}, which has no text)"


def _str(value: object) -> str:
    if isinstance(value, datetime):
        with suppress(ValueError):  # outside the years 1 to 9999 in UTC, or no time at all (pandas.NaT)
            return (
                value.isoformat(timespec="microseconds")
                if value.utcoffset() is None
                else times.to_text(value)
            )
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)
