"""The numbers of the overview, and their reading."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

from logs import counter
from logs.digests.moments import DAY, day_start, to_moment, to_time
from logs.filters import LogFilter
from logs.local_clock import midnight
from logs.pages.time_steps import Step, starts
from logs.plan import QueryPlan, make_plan
from logs.reading.budget import Budget, Cost
from logs.reading.count_result import HOUR, Bucket, Count, CountResult
from logs.reading.count_scope import CountScope
from logs.reading.sample import read_sample
from logs.storage import deadline
from logs.storage.item_size import Sizes, mean_sizes

# The whole days before today, and as many before them.
DAYS = 30
SAMPLE = 100
DAILY = Step(DAY, "1 day")


@dataclass(frozen=True)
class AccountDays:
    """The account with the most logs, and its logs by UTC day."""

    account_id: str
    days: CountResult


@dataclass(frozen=True)
class OverviewNumbers:
    """The numbers of all logs at a moment.

    `days` are the first moments of the days, in the time zone: DAYS, DAYS again, and today. `hours` are the
    logs by hour, with all earlier ones in one bucket. `account` is None if no account was counted, `sizes`
    if no log was read.
    """

    now: datetime
    zone: tzinfo
    days: Sequence[int]
    hours: CountResult
    account: AccountDays | None = None
    sizes: Sizes | None = None
    # How long the newest logs are kept, or None for ever.
    retention: timedelta | None = None
    cost: Cost = field(default_factory=Cost)

    @property
    def shown_days(self) -> Sequence[int]:
        """Return the first moments of the days that are shown, with today."""
        return self.days[DAYS:]

    @property
    def shown(self) -> Count:
        """Return the logs of the days that are shown."""
        return self.hours.number(self.days[DAYS], self.hours.end)

    @property
    def recent(self) -> Count:
        """Return the logs of the last whole days."""
        return self.hours.number(self.days[DAYS], self.days[-1])

    @property
    def before(self) -> Count:
        """Return the logs of as many days before."""
        return self.hours.number(self.days[0], self.days[DAYS])


def read_overview(plan: QueryPlan, zone: tzinfo, budget: Budget) -> OverviewNumbers:
    """Return the numbers of all logs, whose plan has no filter.

    Costs a count of all hours, two counts of days with their accounts, and a sample. If the time of the
    budget is over, the account is left out. Raises StoreUnavailable.
    """
    now = datetime.now(UTC)
    days, zone = _days(now, zone)
    # It is also before this month.
    first = days[0]

    def hours(start: int, end: int) -> list[int]:
        moments = list(range(max(first, start // HOUR * HOUR), end, HOUR))
        return [start, *moments] if start < first else moments

    # The sample is small. It comes first, because a count may spend the time of the page.
    logs, cost = read_sample(plan, SAMPLE, budget)
    result, count_cost = counter.numbers(plan, hours, CountScope(()), budget)
    cost += count_cost
    account, account_cost = _read_account(plan, to_time(days[DAYS]), budget)
    cost += account_cost
    sizes = mean_sizes(logs) if logs else None
    retentions = [each.expires_at - each.received_at for each in logs if each.expires_at]
    return OverviewNumbers(now, zone, days, result, account, sizes, min(retentions, default=None), cost)


def month_start(now: datetime) -> datetime:
    """Return when the month begins in UTC, as AWS bills it."""
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _days(now: datetime, zone: tzinfo) -> tuple[list[int], tzinfo]:
    """Return the first moments of the days, and their zone.

    Digests count whole hours of UTC. If the days of the zone begin between them, the days are those of UTC.
    """
    today = now.astimezone(zone).date()
    start = to_moment(midnight(today - timedelta(days=2 * DAYS), zone))
    days = starts(start, to_moment(now) + 1, DAILY, zone)
    return _days(now, UTC) if any(day % HOUR for day in days) else (days, zone)


def _read_account(plan: QueryPlan, start: datetime, budget: Budget) -> tuple[AccountDays | None, Cost]:
    """Return the account with the most logs since a time, with its days, and the cost."""
    low = to_time(day_start(start.date()))
    if deadline.elapsed() > budget.seconds:
        return None, Cost()
    recent = plan.within(low, None)
    result, cost = counter.counts(recent, Bucket.DAY, ("account_id",), budget)
    account_id = next(iter(result.values["account_id"].largest(1)), None)
    if account_id is None or deadline.elapsed() > budget.seconds:
        return None, cost
    filtered = make_plan(
        LogFilter(account_id=(account_id,), start=low), plan.shards, includes_own=plan.includes_own
    )
    days, more = counter.counts(filtered, Bucket.DAY, ("type",), budget)
    cost += more
    return AccountDays(account_id, days), cost
