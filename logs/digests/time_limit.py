"""The time limit of a run of the builder."""

from collections.abc import Callable, Iterable, Iterator

from logs.digests import source
from logs.digests.moments import to_moment
from logs.digests.source import Row
from logs.models import LogItem

# With less time left than this, a segment is not begun, ends at the next moment, or is given up.
BEGIN_SECONDS, END_SECONDS, GIVE_UP_SECONDS = 60.0, 30.0, 10.0


class OutOfTime(Exception):
    """The run has too little time left."""


class TimeLimit:
    """The time that a run has left."""

    def __init__(self, seconds_left: Callable[[], float] | None) -> None:
        """Limit the time to the seconds that a function returns. Without one, it is not limited."""
        self.seconds_left = seconds_left or (lambda: float("inf"))

    def check(self, seconds: float) -> None:
        """Raise OutOfTime if fewer seconds are left."""
        if self.seconds_left() < seconds:
            raise OutOfTime


class SegmentLogs:
    """The logs of some rows, as many as the time allows.

    `end` is the moment before which all of them were read: the end of the rows, or earlier if time runs out.
    """

    def __init__(self, rows: Iterable[Row], end: int, limit: TimeLimit) -> None:
        self.end = end
        self._rows = rows
        self._limit = limit

    def read(self, *, consistent: bool) -> Iterator[LogItem]:
        """Yield the logs. Raise OutOfTime if the logs of one moment do not fit into the time."""
        last: int | None = None
        for item in source.logs(self._rows, consistent=consistent):
            self._limit.check(GIVE_UP_SECONDS)
            moment = to_moment(item.created_at)
            if last not in (None, moment) and self._limit.seconds_left() < END_SECONDS:
                self.end = moment
                return
            last = moment
            yield item
