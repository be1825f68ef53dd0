"""Values of databases and files as values of JSON, and their times as moments."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from pydantic_core import from_json

from ingest import times
from ingest.messages import EPOCH
from ingest.sending.serialize import to_jsonable
from ingest.wire.fields import parse_uuid
from logs import zones

REFUSE, FIRST, SECOND = "refuse", "first", "second"
REPEATED = (REFUSE, FIRST, SECOND)
# The digits of a time since 1970 before the decimal point, and its unit in microseconds. They end in 2286.
EPOCH_UNITS = {10: 1_000_000, 13: 1_000, 16: 1}
_EPOCH = re.compile(r"\d{10}(?:\.\d+)?|\d{13}(?:\.\d+)?|\d{16}")
NO_TIME = (
    "is no time: neither an existing day in ISO 8601, nor seconds (10 digits), milliseconds (13) or "
    "microseconds (16) since 1970"
)


class BadValue(ValueError):
    """A value that its field cannot have. The text is the reason, without the value."""


@dataclass(frozen=True)
class Clock:
    """The time zone of times without an offset, and the choice of a time that its clock shows twice."""

    zone: tzinfo = UTC
    repeated: str = REFUSE

    def moment(self, value: object) -> str:
        """Return a time as UTC text. Raise BadValue for no time, and for a time that the clock skips.

        A time that the clock shows twice is refused, unless `repeated` chooses the first or second moment.
        """
        moment = _parse(value)
        try:
            return times.to_text(moment if moment.tzinfo else self._resolve(moment))
        except (ValueError, OverflowError):
            raise BadValue("is outside the years 1 to 9999 in UTC") from None

    def _resolve(self, local: datetime) -> datetime:
        first, second = (local.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        name = zones.name(self.zone)
        if first > second:
            raise BadValue(f"does not exist in {name}: its clock skips this time")
        if first < second and self.repeated == REFUSE:
            raise BadValue(
                f"is twice in {name}, when its clock is set back: choose --repeated-hour first or second"
            )
        return second if self.repeated == SECOND else first


def _parse(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001  the clock adds its zone
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise BadValue("is missing" if value is None else NO_TIME)
    text = value.strip()
    if _EPOCH.fullmatch(text):
        unit = EPOCH_UNITS[len(text.partition(".")[0])]
        return EPOCH + timedelta(microseconds=int(Decimal(text) * unit))
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise BadValue(NO_TIME) from None


def to_json(value: Any) -> Any:
    """Return a value as JSON keeps it.

    - Bytes are their text in UTF-8 if that is printable, otherwise hexadecimal as in `0x00ff`.
    - A time is a text, without an offset if the database has none. A decimal number is a text, too.
    """
    if isinstance(value, bytes):
        text = value.decode(errors="replace")
        is_text = "\ufffd" not in text and (text.isprintable() or not _has_controls(text))
        return text if is_text else f"0x{value.hex()}"
    return to_jsonable(value)


def to_text(value: Any) -> Any:
    """Return a number or a time as text. Objects, arrays and texts stay."""
    value = to_json(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def to_name(value: Any) -> Any:
    """Return an id: an integer or a text. A whole number of another type becomes an integer."""
    if isinstance(value, Decimal | float) and value == (number := int(value)):
        return number
    return to_json(value)


def to_uuid(value: Any) -> str | None:
    """Return a UUID as 32 hex digits, also of 16 bytes, or None for another value."""
    return value.hex() if isinstance(value, bytes) and len(value) == 16 else parse_uuid(value)


def parse_json(text: object) -> Any:
    """Return the value of a JSON text. Another value, and JSON that a log cannot have, stays."""
    if not isinstance(text, str):
        return text
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError:
        return text


def _has_controls(text: str) -> bool:
    return any(character < " " and character not in "\t\r\n" for character in text)
