"""The numbers above the rows of the listing: a histogram and facets."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo

from logs import conf, counter, zones
from logs.digests.moments import DAY, to_time
from logs.filters import LogFilter, Order
from logs.local_clock import midnight
from logs.pages.address import Address
from logs.pages.facets import FIELDS, Facet, make_facets
from logs.pages.histogram import Histogram, Number
from logs.pages.links import Link
from logs.pages.time_steps import Step, bar_starts, choose_step
from logs.pages.value_choice import NOUNS, groups_address
from logs.plan import QueryPlan
from logs.range_text import write_range
from logs.reading.budget import Cost
from logs.reading.count_result import CountResult
from logs.reading.count_scope import SMALL, CountScope
from logs.reading.counted_values import counted_values
from logs.reading.grouping import FIELDS as GROUPED_FIELDS

# The days of a range without a beginning.
OPEN_DAYS = 30
# The requests after which no logs are read for facets alone.
MAX_REQUESTS = 4
# Of a longer range, the facets have the newest days.
SCOPE = CountScope(fields=FIELDS, sample=SMALL, requests=MAX_REQUESTS, days=OPEN_DAYS + 1)


def is_countable(log_filter: LogFilter) -> bool:
    """Return whether counts cover a filter: no text and no value within JSON."""
    return not log_filter.needs_documents


def newest_first(plan: QueryPlan) -> QueryPlan:
    """Return a plan whose newest logs are read first."""
    return replace(plan, filter=replace(plan.filter, order=Order.NEWEST))


@dataclass(frozen=True)
class Counted:
    """The numbers of a filter, their step and time zone, and their cost."""

    result: CountResult
    step: Step
    zone: tzinfo
    cost: Cost


def read_numbers(plan: QueryPlan, zone: tzinfo) -> Counted:
    """Return the numbers of a plan. A range without a beginning has its last OPEN_DAYS days.

    Costs one Query of the directory of digests, one BatchGetItem of the counts of all values, one Query or
    two of the ranges without digests, and one for facets without digests. Raises StoreUnavailable.
    """
    plan = newest_first(plan)
    counted = counted_values(plan.filter)
    by_hour = counted is not None and counted.is_by_hour
    by_day = counted is not None and not by_hour
    if plan.low is None:
        plan = plan.within(_open_start(plan, UTC if by_day else zone), None)
    step = Step(DAY, "1 day")
    moments: list[int] = []

    def starts(start: int, end: int) -> list[int]:
        nonlocal step
        step = choose_step(end - start, by_day=by_day)
        moments.extend(bar_starts(start, end, step, zone, by_day=by_day, by_hour=by_hour))
        return moments

    result, cost = counter.numbers(plan, starts, SCOPE, conf.count_budget())
    is_local = step.length < DAY or moments == _in_zone(result, step, zone)
    return Counted(result, step, zone if is_local else UTC, cost)


def _in_zone(result: CountResult, step: Step, zone: tzinfo) -> list[int]:
    return bar_starts(result.start, result.end, step, zone, by_day=False, by_hour=False)


def _open_start(plan: QueryPlan, zone: tzinfo) -> datetime:
    """Return the beginning of the last days of a range without a beginning."""
    end = min(plan.high or datetime.now(UTC), datetime.now(UTC))
    return midnight(end.astimezone(zone).date() - timedelta(days=OPEN_DAYS - 1), zone)


class Numbers:
    """A histogram and facets, with all that the template shows."""

    def __init__(self, counted: Counted, address: Address, prefix: str) -> None:
        """Show numbers. `prefix` is the path of the listing, before each address."""
        self._counted, self.address, self.prefix = counted, address, prefix
        self.result = counted.result
        self.total = Number.of(self.result.total)
        self.histogram = Histogram(self.result, address, prefix, counted.zone, conf.type_colors())
        self.step = counted.step.text
        self.cost = counted.cost

    @property
    def noun(self) -> str:
        """Return what is counted, in the right number."""
        return "log" if self.total == Number("1", is_exact=True) else "logs"

    @property
    def range(self) -> str:
        """Return the range of the numbers. It is empty for that of the filter."""
        log_filter, zone = self.address.filter, self._counted.zone
        if log_filter.start:
            return ""
        if log_filter.end is None:
            return f"in the last {OPEN_DAYS} days"
        return f"{write_range(to_time(self.result.start), log_filter.end, zone)} {zones.label(zone)}"

    @property
    def is_in_utc(self) -> bool:
        """Return whether the bars are days of UTC instead of the page's zone."""
        return self._counted.zone is not self.address.zone

    @property
    def facets(self) -> list[Facet]:
        """Return the most frequent values of some fields."""
        return list(make_facets(self.result, self.address, self.grouped, self.prefix))

    @property
    def groups(self) -> list[Link]:
        """Return the links to the groups of each field."""
        return [
            Link(NOUNS[field][0], groups_address(self.grouped, self.prefix, field))
            for field in GROUPED_FIELDS
        ]

    @property
    def grouped(self) -> Address:
        """Return the address whose range is that of the numbers."""
        plan = self.address.plan
        if plan.filter.start:
            return self.address
        log_filter = replace(plan.filter, start=to_time(self.result.start))
        return replace(self.address, plan=replace(plan, filter=log_filter, low=log_filter.start))

    @property
    def milliseconds(self) -> int:
        """Return how long the reading took."""
        return round(self.cost.seconds * 1000)
