"""The numbers of a count: by bucket, in all, and by value."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from logs.digests.counts import Tally
from logs.digests.moments import DAY, MICROSECOND

HOUR = timedelta(hours=1) // MICROSECOND
MAX_BUCKETS = 2_000
# A longer range has buckets of days unless hours are requested.
MAX_HOURS_RANGE = 3 * DAY


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
class CountResult:
    """The numbers of a range.

    `buckets` are those by the first moment of each bucket. `fields` are the requested ones. `values` are the
    numbers of the most frequent values, by field, without fields that were not counted. Without
    `has_exact_values` they are lower bounds.
    """

    bucket: Bucket
    buckets: dict[int, Count]
    fields: tuple[str, ...]
    values: dict[str, Tally]
    has_exact_values: bool = True

    @property
    def total(self) -> Count:
        """Return the number of logs in all buckets."""
        counts = self.buckets.values()
        return Count(sum(each.number for each in counts), all(each.is_exact for each in counts))


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


def empty_result(bucket: Bucket, moments: Iterable[int], fields: tuple[str, ...]) -> CountResult:
    """Return the result before anything is counted."""
    return CountResult(
        bucket, {moment: Count() for moment in moments}, fields, {name: Tally() for name in fields}
    )
