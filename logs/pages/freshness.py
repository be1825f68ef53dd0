"""How fresh the logs are: the newest one, and the messages that wait."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, cast

from django.core.cache import cache
from django.utils.module_loading import import_string

from logs import conf, reader, zones
from logs.filters import LogFilter
from logs.pages.display import display_moment
from logs.pages.durations import display_duration
from logs.plan import make_plan
from logs.reading.budget import Budget

CACHE_KEY, CACHE_SECONDS = "logs.freshness", 10
# The newest logs may be those of Logsite's own accounts, which do not count.
MAX_EXAMINED = 25
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
# The numbers of LOGS_QUEUE_COUNTS.
WAITING, DEAD_LETTERS = NAMES = ("waiting", "dead_letters")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Freshness:
    """The time of the newest log, and the numbers of the queues by NAMES. An unknown number is missing.

    If `is_exact` is false, `newest` is a time that no log is newer than, or None without any log.
    """

    newest: datetime | None
    is_exact: bool
    counts: Mapping[str, int]


def read_freshness() -> Freshness:
    """Return the freshness of the last ten seconds, from the cache of this process.

    Otherwise it costs one Query of each sorting shard, and the requests of LOGS_QUEUE_COUNTS. Raises
    StoreUnavailable.
    """
    freshness: Any = cache.get_or_set(CACHE_KEY, _read, CACHE_SECONDS)
    return cast("Freshness", freshness)


def _read() -> Freshness:
    plan = make_plan(LogFilter(), conf.shards())
    page = reader.read_page(plan, None, 1, Budget(examined=MAX_EXAMINED))
    newest = page.items[0].created_at if page.items else page.reached
    return Freshness(newest, is_exact=bool(page.items), counts=read_counts())


def read_counts() -> dict[str, int]:
    """Return the numbers of the project's function by NAMES, without unknown ones.

    An error is logged, and there are no numbers then.
    """
    try:
        function: Any = conf.queue_counts()
        if isinstance(function, str):
            function = import_string(function)
        counts = function() if function else {}
        return {name: int(counts[name]) for name in NAMES if counts.get(name) is not None}
    except Exception:  # the project's code must not break a page
        logger.exception("LOGS_QUEUE_COUNTS failed")
        return {}


@dataclass(frozen=True)
class FreshnessLine:
    """The parts of the line as texts. A part that is unknown is empty."""

    freshness: Freshness
    now: datetime
    zone: tzinfo

    @property
    def seconds(self) -> int:
        """Return the age of the newest log. A sender's clock may be fast."""
        newest = self.freshness.newest
        return max(0, int((self.now - newest).total_seconds())) if newest else 0

    @property
    def age(self) -> str:
        """Return the age of the newest log, such as `4 s`."""
        age = timedelta(seconds=self.seconds)
        if age < MINUTE:
            return f"{self.seconds} s"
        return f"{self.seconds // 60} min" if age < HOUR else display_duration(age)

    @property
    def moment(self) -> str:
        """Return the time of the newest log in the time zone."""
        newest = self.freshness.newest
        if newest is None:
            return ""
        return f"{display_moment(newest.replace(microsecond=0), self.zone)} {zones.label(self.zone)}"

    @property
    def waiting(self) -> str:
        """Return how many messages wait in the queue, such as `nothing waiting`."""
        number = self.freshness.counts.get(WAITING)
        return "" if number is None else f"{number:,} waiting" if number else "nothing waiting"

    @property
    def dead_letters(self) -> str:
        """Return how many dead letters there are, such as `2 dead letters`."""
        number = self.freshness.counts.get(DEAD_LETTERS)
        if number is None:
            return ""
        return f"{number:,} dead letter{'' if number == 1 else 's'}" if number else "no dead letters"
