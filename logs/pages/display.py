"""How the pages show times and accounts. No Django."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo

from logs import times, zones
from logs.characters import visible
from logs.reader import IdSearch

NO_ONE = "0"


@dataclass(frozen=True)
class Time:
    """A moment in a time zone, in parts. `iso` is in UTC."""

    iso: str
    date: str
    clock: str
    fraction: str

    @property
    def milliseconds(self) -> str:
        """Return the fraction in three decimals with its point: enough to tell rows apart."""
        return self.fraction[:4]


def display_time(moment: datetime, zone: tzinfo = UTC) -> Time:
    """Return a moment as date, clock and fraction in a time zone."""
    local = moment.astimezone(zone).isoformat(timespec="microseconds")
    return Time(iso=times.to_text(moment), date=local[:10], clock=local[11:19], fraction=local[19:26])


def display_day(moment: datetime, zone: tzinfo = UTC) -> str:
    """Return the day of a moment, such as `1 Nov 2026`."""
    local = moment.astimezone(zone)
    return f"{local.day} {local:%b} {local.year}"


def display_weekday(day: date) -> str:
    """Return a day such as `Sunday, 1 November 2026`."""
    return f"{day:%A}, {day.day} {day:%B} {day.year}"


def display_clock(moment: datetime, zone: tzinfo = UTC) -> str:
    """Return the clock time of a moment, such as `16:30`. Seconds appear only if not zero."""
    clock = moment.astimezone(zone).time().isoformat()
    return clock.removesuffix(":00") if clock.count(":") == 2 else clock


def display_moment(moment: datetime, zone: tzinfo = UTC) -> str:
    """Return a moment such as `1 Nov 2026 16:30`. Seconds appear only if not zero."""
    return f"{display_day(moment, zone)} {display_clock(moment, zone)}"


def display_who(name: str) -> str:
    """Return an account or a user; `0` is no one (docs/message.md)."""
    return "no one" if name == NO_ONE else visible(name)


NO_LOG_HAS_ID = "No log has this ID. Logs with this request ID or trace ID:"


def display_rejection(search: IdSearch, zone: tzinfo = UTC) -> str | None:
    """Return when and why a message with the id was rejected, or None."""
    if (rejection := search.rejection) is None:
        return None
    names = ", ".join(map(str, rejection.error_fields))
    fields = f" ({visible(names)})" if names else ""
    moment = display_moment(rejection.rejected_at.replace(microsecond=0), zone)
    reason = f"{visible(rejection.error_code)}{fields}"
    when = f"{moment} {zones.label(zone)}"
    return f"A message with this ID was rejected: {reason}, {when}. See the dead-letter queue."


def shorten(text: str, length: int) -> str:
    """Return a text with escapes for invisible characters, in at most about `length` characters."""
    return visible(text if len(text) <= length else f"{text[: length - 1]}…")
