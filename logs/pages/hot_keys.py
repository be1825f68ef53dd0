"""The partition keys that take the most writes, and their headroom."""

from dataclasses import dataclass
from typing import Self

from logs.digests.moments import DAY
from logs.models import LogItem
from logs.pages.overview_numbers import AccountDays, OverviewNumbers
from logs.reading.count_result import Count, CountResult

# The write units a second that DynamoDB gives to one partition key.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
MAX_WRITE_UNITS = 1_000
SECONDS = 3_600
ALL, TYPE, ACCOUNT = (
    index.Meta.index_name for index in (LogItem.sorting_index, LogItem.type_index, LogItem.account_index)
)


@dataclass(frozen=True)
class HotKey:
    """A partition key in its busiest hour.

    `hour` is the first moment of the hour. `logs` are those of the hour. `is_limit` is whether these are the
    most that there can be. `units` are the write units of one entry in the index.
    """

    index: str
    value: str
    hour: int
    logs: Count
    units: float
    is_limit: bool = False

    @property
    def write_units(self) -> float:
        """Return the write units a second, as the mean of the hour."""
        return self.logs.number * self.units / SECONDS

    @property
    def used(self) -> float:
        """Return the part of the limit that is used."""
        return self.write_units / MAX_WRITE_UNITS

    @property
    def room(self) -> float:
        """Return how many times as many logs the key takes, or 0 without logs."""
        return 1 / self.used if self.used else 0

    @classmethod
    def of(
        cls,
        numbers: OverviewNumbers,
        index: str,
        value: str,
        hour: int,
        logs: Count,
        *,
        is_limit: bool = False,
    ) -> Self:
        """Return a key of an index in its busiest hour. Without a sample, an entry takes one write unit."""
        units = numbers.sizes.entry_units.get(index, 1) if numbers.sizes else 1
        return cls(index, value, hour, logs, units, is_limit)


def hot_keys(numbers: OverviewNumbers, shards: int) -> list[HotKey]:
    """Return the busiest key of three indexes.

    They are a sorting shard, which gets its part of all logs, the type with the busiest hour, and the largest
    account. Digests count accounts by day only, so that of an account is a limit: it has no more logs in an
    hour than all accounts have, and no more than it has on that day.
    """
    hours = numbers.hours
    low = numbers.shown_days[0]
    moments = [moment for moment, count in hours.buckets.items() if moment >= low and count.number]
    if not moments:
        return []
    busiest = max(moments, key=lambda moment: hours.buckets[moment].number)
    # The newest logs are counted first, so a number of an earlier hour may be missing.
    is_exact = numbers.shown.is_exact
    shard = Count(round(hours.buckets[busiest].number / shards), is_exact)
    keys = [HotKey.of(numbers, ALL, "", busiest, shard)]
    if peak := _busiest_type(hours, moments, is_exact=is_exact):
        keys.append(HotKey.of(numbers, TYPE, *peak))
    if numbers.account and is_exact:
        keys.append(_account_limit(numbers, numbers.account, moments))
    return keys


def _busiest_type(hours: CountResult, moments: list[int], *, is_exact: bool) -> tuple[str, int, Count] | None:
    peaks = [
        (number, type_, moment) for moment in moments for type_, number in hours.types[moment].values.items()
    ]
    if not peaks:
        return None
    number, type_, moment = max(peaks)
    _, is_listed = hours.types[moment].number(type_)
    return type_, moment, Count(number, is_exact and is_listed)


def _account_limit(numbers: OverviewNumbers, account: AccountDays, moments: list[int]) -> HotKey:
    """Return the most logs that an account can have in an hour."""
    limits = {}
    for moment in moments:
        limits[moment] = numbers.hours.buckets[moment].number
        day = account.days.buckets.get(moment // DAY * DAY, Count())
        if day.is_exact:
            limits[moment] = min(limits[moment], day.number)
    moment = max(limits, key=lambda each: limits[each])
    return HotKey.of(numbers, ACCOUNT, account.account_id, moment, Count(limits[moment]), is_limit=True)
