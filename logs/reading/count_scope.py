"""What is counted, and how much may be read for it."""

import math
from dataclasses import dataclass

from logs.reading.count_result import CountResult

# More days are not read for such counts: their numbers are then lower bounds, unless the index has few logs.
MAX_DAYS = 500
# So few logs are about 1 MB, which one Query reads. It is then enough for all fields.
SMALL = 2_000


@dataclass(frozen=True)
class CountScope:
    """The fields whose values are counted, and how much may be read for them.

    `sample` is how many items are read for fields that digests do not count. They are not read after so many
    `requests`. `days` is of how many days the counts of all values are read: 8 read units each.
    """

    fields: tuple[str, ...] = ("type",)
    sample: int = 0
    requests: float = math.inf
    days: int | None = None

    def is_small(self, result: CountResult) -> bool:
        """Return whether the index is read for all fields, because digests counted few logs."""
        return bool(self.sample) and result.total.number <= min(self.sample, SMALL)
