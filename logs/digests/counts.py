"""Counts: how many logs of a segment, or of a day, have which values.

Only the largest values are listed. All others are one number, `rest`.
"""

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from logs.models import LogItem, is_own_account

# The attributes of the wide counts.
WIDE_ATTRIBUTES = ("sub_type", "account_id", "account_type", "user_id")
MAX_HOUR_TYPES = 20
MAX_VALUES = 200
MAX_BYTES = 64 * 1024
# The sort key of the counts of a segment, or of a closed day.
COUNTS = "c"
# Logs share a group only if they expire in the same seven days.
WEEK_SECONDS = 7 * 24 * 3600


def expiry_seconds(item: LogItem) -> int | None:
    """Return when a log expires, in seconds since 1970, or None if never."""
    return int(item.expires_at.timestamp()) if item.expires_at else None


def expiry_week(expires: int | None) -> int | None:
    """Return the week of an expiry, or None for never."""
    return None if expires is None else expires // WEEK_SECONDS


@dataclass
class Tally:
    """Numbers of logs by value. `floors` are the values whose number may be too small."""

    values: dict[str, int] = field(default_factory=dict)
    floors: set[str] = field(default_factory=set)
    rest: int = 0

    @property
    def total(self) -> int:
        """Return the number of all logs."""
        return sum(self.values.values()) + self.rest

    def number(self, value: str) -> tuple[int, bool]:
        """Return the number of logs with a value, and whether it is exact. Otherwise it is a lower bound."""
        if value in self.values:
            return self.values[value], value not in self.floors
        return 0, not self.rest

    def add(self, value: str) -> None:
        """Count one more log."""
        if self.rest and value not in self.values:
            self.floors.add(value)
        self.values[value] = self.values.get(value, 0) + 1

    def remove(self, value: str) -> None:
        """Count one log less."""
        if value not in self.values:
            self.rest = max(0, self.rest - 1)
        elif self.values[value] > 1:
            self.values[value] -= 1
        else:
            del self.values[value]
            self.floors.discard(value)

    def merge(self, other: "Tally") -> None:
        """Add the numbers of another tally."""
        for value in self.values.keys() | other.values.keys():
            number, is_exact = self.number(value)
            more, is_other_exact = other.number(value)
            self.values[value] = number + more
            if not (is_exact and is_other_exact):
                self.floors.add(value)
        self.rest += other.rest

    def trim(self, limit: int) -> None:
        """Keep the largest values only."""
        if len(self.values) > limit:
            kept = self.largest(limit)
            self.rest += sum(self.values.values()) - sum(kept.values())
            self.values = kept
            self.floors &= kept.keys()

    def largest(self, limit: int) -> dict[str, int]:
        """Return the largest numbers by value, the largest first."""
        return {value: self.values[value] for value in sorted(self.values, key=self._rank)[:limit]}

    def _rank(self, value: str) -> tuple[int, str]:
        return -self.values[value], value

    def to_json(self) -> list[Any]:
        """Return the tally as a JSON value."""
        return [self.values, sorted(self.floors), self.rest]

    @classmethod
    def from_json(cls, content: list[Any]) -> "Tally":
        """Return the tally of a JSON value."""
        return cls(content[0], set(content[1]), content[2])


@dataclass
class CountGroup:
    """The counts of logs that expire in the same week.

    `is_own` is whether they are of Logsite's own accounts.

    `hours` are the numbers by type, by hour of the day. `wide` are the numbers by value of WIDE_ATTRIBUTES.
    `first` and `last` are the times of the first and the last expiry.
    """

    week: int | None
    is_own: bool
    first: int | None = None
    last: int | None = None
    hours: dict[int, Tally] = field(default_factory=dict)
    wide: dict[str, Tally] = field(default_factory=dict)

    @property
    def key(self) -> tuple[int | None, bool]:
        """Return the week and the kind of accounts that identify the group."""
        return self.week, self.is_own

    def record_expiry(self, expires: int | None) -> None:
        """Extend the range of expiries."""
        if expires is not None:
            self.first = expires if self.first is None else min(self.first, expires)
            self.last = expires if self.last is None else max(self.last, expires)

    def is_over(self, now: float) -> bool:
        """Return whether all its logs have expired."""
        return self.last is not None and self.last <= now

    def is_partly_expired(self, now: float) -> bool:
        """Return whether some of its logs have expired, and others may not have."""
        return self.first is not None and self.first <= now and not self.is_over(now)

    def to_json(self) -> list[Any]:
        """Return the group as a JSON value."""
        hours = {str(hour): tally.to_json() for hour, tally in sorted(self.hours.items())}
        wide = {name: tally.to_json() for name, tally in self.wide.items()}
        return [self.week, self.is_own, self.first, self.last, hours, wide]

    @classmethod
    def from_json(cls, content: list[Any]) -> "CountGroup":
        """Return the group of a JSON value."""
        week, is_own, first, last, hours, wide = content
        return cls(
            week,
            is_own,
            first,
            last,
            {int(hour): Tally.from_json(tally) for hour, tally in hours.items()},
            {name: Tally.from_json(tally) for name, tally in wide.items()},
        )


class Counts:
    """The counts of some logs, by group."""

    def __init__(self, groups: Iterable[CountGroup] = ()) -> None:
        self.groups = {group.key: group for group in groups}

    def add(self, item: LogItem) -> None:
        """Count a log."""
        expires = expiry_seconds(item)
        group = self._group(expiry_week(expires), is_own=is_own_account(item.account_id))
        group.record_expiry(expires)
        group.hours.setdefault(item.created_at.hour, Tally()).add(item.type)
        for name in WIDE_ATTRIBUTES:
            group.wide.setdefault(name, Tally()).add(getattr(item, name))

    def remove(self, item: LogItem) -> None:
        """Count a log less, which must have been counted."""
        group = self._group(expiry_week(expiry_seconds(item)), is_own=is_own_account(item.account_id))
        if hour := group.hours.get(item.created_at.hour):
            hour.remove(item.type)
        for name, tally in group.wide.items():
            tally.remove(getattr(item, name))

    def merge(self, other: "Counts") -> None:
        """Add other counts."""
        for theirs in other.groups.values():
            ours = self._group(theirs.week, is_own=theirs.is_own)
            ours.record_expiry(theirs.first)
            ours.record_expiry(theirs.last)
            for hour, tally in theirs.hours.items():
                ours.hours.setdefault(hour, Tally()).merge(tally)
            for name, tally in theirs.wide.items():
                ours.wide.setdefault(name, Tally()).merge(tally)

    def trim(self, hour_types: int, values: int | None) -> None:
        """Keep the largest values only. If `values` is None, the wide counts are left out."""
        for group in self.groups.values():
            for tally in group.hours.values():
                tally.trim(hour_types)
            if values is None:
                group.wide.clear()
                continue
            for tally in group.wide.values():
                tally.trim(values)

    def trim_hours(self) -> None:
        """Keep the largest types of each hour, which a directory has room for.

        Leave out the wide counts.
        """
        types = MAX_HOUR_TYPES
        self.trim(types, None)
        while types and len(_compressed(self)) > MAX_BYTES:
            types //= 2
            self.trim(types, None)

    def _group(self, week: int | None, *, is_own: bool) -> CountGroup:
        key = (week, is_own)
        if key not in self.groups:
            self.groups[key] = CountGroup(week, is_own)
        return self.groups[key]

    def to_json(self) -> list[Any]:
        """Return the counts as a JSON value."""
        return [group.to_json() for group in self.groups.values()]

    @classmethod
    def from_json(cls, content: list[Any]) -> "Counts":
        """Return the counts of a JSON value."""
        return cls(map(CountGroup.from_json, content))


def pack_counts(counts: Counts) -> bytes:
    """Return counts, compressed, with as many of the largest values as fit."""
    values = MAX_VALUES
    while True:
        counts.trim(values, values)
        data = _compressed(counts)
        if len(data) <= MAX_BYTES or not values:
            return data
        values //= 2


def _compressed(counts: Counts) -> bytes:
    return zlib.compress(json.dumps(counts.to_json(), separators=(",", ":")).encode())


def unpack_counts(data: bytes) -> Counts:
    """Return the counts that `pack_counts` packed."""
    return Counts.from_json(json.loads(zlib.decompress(data)))
