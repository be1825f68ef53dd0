"""How many logs match a filter, by hour or by day, and which values are the most frequent.

Digests count the closed ranges of whole hours, or of whole days. A bounded read of the index counts the rest:
ranges without digests, and the parts of hours at both ends. Late logs are added.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from logs.digests.counts import Tally
from logs.digests.moments import DAY, MICROSECOND

if TYPE_CHECKING:
    pass

HOUR = timedelta(hours=1) // MICROSECOND
# More late logs of a request are not looked up: the numbers are then lower bounds.
MAX_LATE = 500
# The attributes whose most frequent values are counted.
FIELDS = ("type", "sub_type", "account_id", "user_id")


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
    """The numbers of a range: by the first moment of each bucket, in all, and by value of each of FIELDS.

    A field without values has no numbers for this filter and range.
    """

    buckets: dict[int, Count]
    total: Count = field(default_factory=Count)
    fields: dict[str, Tally] = field(default_factory=dict)
