"""The numbers of a count: by bucket, in all, and by value."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from logs.digests.counts import Tally
from logs.digests.moments import DAY, END, FIRST, MICROSECOND, to_moment
from logs.models import LogItem, object_key
from logs.reading.counted_ranges import BUCKETS

HOUR = timedelta(hours=1) // MICROSECOND
MAX_BUCKETS = 2_000
# A longer range has buckets of days unless hours are requested.
MAX_HOURS_RANGE = 3 * DAY
# The attribute with the name of a value, which senders may leave out.
NAMES = {"user_id": "user_name", "account_id": "account_name", "object": "object_name"}


class Bucket(StrEnum):
    """The length of a bucket."""

    HOUR = "hour"
    DAY = "day"

    @property
    def length(self) -> int:
        """Return its length in microseconds."""
        return HOUR if self is Bucket.HOUR else DAY


@dataclass
class Count:
    """A number of logs. If it is not exact, there are at least so many."""

    number: int = 0
    is_exact: bool = True

    def add(self, number: int, *, is_exact: bool = True) -> None:
        """Add a number."""
        self.number += number
        self.is_exact = self.is_exact and is_exact


@dataclass
class Occurrences:
    """The times of the first and the last log with a value.

    They are of the logs that were read. `name` is its last name.
    """

    first: datetime
    last: datetime
    name: str | None = None

    def add(self, moment: datetime, name: str | None) -> None:
        """Add a log."""
        self.first = min(self.first, moment)
        # The newest logs are read first.
        self.name = self.name or name
        if moment > self.last:
            self.last, self.name = moment, name or self.name


@dataclass
class CountResult:
    """The numbers of a range.

    The range is `start` ≤ moment < `end`. `starts` are the first moments of its buckets, in order. `buckets`
    are the numbers by these moments. `types` are the numbers by type of each bucket, as far as they were
    counted. `fields` are the requested ones. `values` are the numbers of the most frequent values, by field,
    without fields that were not counted. The values of `lower_bounds` are lower bounds.

    `occurrences` are those of the values of logs that were read, by field. `unread` is the range of the logs
    that were not read, by field: digests counted them, or nothing did.
    """

    start: int
    end: int
    starts: Sequence[int]
    buckets: dict[int, Count]
    types: dict[int, Tally]
    fields: tuple[str, ...]
    values: dict[str, Tally]
    occurrences: dict[str, dict[str, Occurrences]]
    lower_bounds: set[str] = field(default_factory=set)
    unread: dict[str, tuple[int, int]] = field(default_factory=dict)
    # Set by a count whose buckets have one length.
    bucket: Bucket = Bucket.DAY

    @property
    def total(self) -> Count:
        """Return the number of logs in all buckets."""
        counts = self.buckets.values()
        return Count(sum(each.number for each in counts), all(each.is_exact for each in counts))

    @property
    def has_exact_values(self) -> bool:
        """Return whether the most frequent values of each field are exact."""
        return not self.lower_bounds

    def bucket_of(self, moment: int) -> int:
        """Return the first moment of the bucket of a moment within the range."""
        return self.starts[max(0, bisect_right(self.starts, moment) - 1)]

    def value(self, name: str, value: str) -> Count:
        """Return the number of logs with a value of a field."""
        number, is_exact = self.values[name].number(value)
        return Count(number, is_exact and name not in self.lower_bounds)

    def first_and_last(self, name: str, value: str) -> tuple[datetime | None, datetime | None]:
        """Return the times of the first and the last log with a value. Each is None if it is uncertain."""
        each = self.occurrences[name].get(value)
        if each is None:
            return None, None
        low, high = self.unread.get(name, (END, FIRST))
        first, last = to_moment(each.first), to_moment(each.last)
        return each.first if first < low else None, each.last if last >= high else None

    def add_unread(self, name: str, low: int, high: int) -> None:
        """Extend the range of a field whose logs were not read."""
        first, last = self.unread.get(name, (low, high))
        self.unread[name] = min(low, first), max(high, last)

    def add_to_field(self, name: str, row: LogItem) -> None:
        """Count a log that was read in a field. A missing value is an empty text."""
        # Only one index has the key of the object.
        key = object_key(row.object_type, row.object_id) if name == "object" else getattr(row, name)
        value: str = key or ""
        self.values[name].add(value)
        label = getattr(row, NAMES[name]) if name in NAMES else None
        if occurrences := self.occurrences[name].get(value):
            occurrences.add(row.created_at, label)
        else:
            self.occurrences[name][value] = Occurrences(row.created_at, row.created_at, label)

    def add_to_bucket(self, row: LogItem) -> None:
        """Count a log that was read in its bucket."""
        start = self.bucket_of(to_moment(row.created_at))
        self.buckets[start].add(1)
        self.types[start].add(row.type)

    def number(self, start: int, end: int) -> Count:
        """Return the number of logs in the buckets that begin in a range.

        The range is `start` ≤ moment < `end`.
        """
        total = Count()
        for moment, count in self.buckets.items():
            if start <= moment < end:
                total.add(count.number, is_exact=count.is_exact)
        return total

    def regroup(self, starts: Sequence[int]) -> "CountResult":
        """Return the numbers by longer buckets. Buckets before the first of them are left out."""
        result = empty_result(starts[0], self.end, starts, ())
        for moment, count in self.buckets.items():
            if moment >= starts[0]:
                start = result.bucket_of(moment)
                result.buckets[start].add(count.number, is_exact=count.is_exact)
                result.types[start].merge(self.types[moment])
        return result

    def mark(self, low: int, high: int, names: Collection[str]) -> None:
        """Mark the numbers of a range that was not counted whole as lower bounds."""
        for name in names:
            if name == BUCKETS:
                first = max(0, bisect_right(self.starts, low) - 1)
                for start in self.starts[first : bisect_right(self.starts, high - 1)]:
                    self.buckets[start].is_exact = False
            else:
                self.lower_bounds.add(name)
                self.add_unread(name, low, high)


class TooManyBuckets(ValueError):
    """The range has more than MAX_BUCKETS buckets."""


def default_bucket(start: int, end: int) -> Bucket:
    """Return hours for a range of up to three days, otherwise days."""
    return Bucket.HOUR if end - start <= MAX_HOURS_RANGE else Bucket.DAY


def bucket_moments(start: int, end: int, bucket: Bucket) -> range:
    """Return the first moments of the buckets of a range. Raise TooManyBuckets."""
    moments = range(start // bucket.length * bucket.length, end, bucket.length)
    if len(moments) > MAX_BUCKETS:
        raise TooManyBuckets(
            f"{bucket} makes {len(moments):,} buckets of this range; at most {MAX_BUCKETS:,} are possible"
        )
    return moments


def empty_result(start: int, end: int, starts: Iterable[int], fields: tuple[str, ...]) -> CountResult:
    """Return the result before anything is counted."""
    starts = list(starts)
    return CountResult(
        start,
        end,
        starts,
        {moment: Count() for moment in starts},
        {moment: Tally() for moment in starts},
        fields,
        {name: Tally() for name in fields},
        {name: {} for name in fields},
    )
