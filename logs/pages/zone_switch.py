"""The choice of a time zone above the list."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from logs import zones


@dataclass(frozen=True)
class Choice:
    """A time zone, and its button's text: `Berlin (+1)`."""

    name: str
    text: str
    is_current: bool


@dataclass(frozen=True)
class ZoneSwitch:
    """The time zones to choose from. The browser adds its own."""

    zone: tzinfo

    @property
    def current(self) -> str:
        """Return the name of the current time zone."""
        return zones.name(self.zone)

    @property
    def choices(self) -> list[Choice]:
        """Return UTC and the current time zone."""
        choices = [Choice(zones.UTC_NAME, zones.UTC_NAME, self.zone is UTC)]
        if self.zone is not UTC:
            offset = zones.offset(self.zone, datetime.now(UTC))
            choices.append(Choice(self.current, f"{zones.city(self.zone)} ({offset})", is_current=True))
        return choices
