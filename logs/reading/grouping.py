"""The values of one field, with their numbers, first and last logs."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from logs.digests.moments import to_time
from logs.filters import LogFilter, Order
from logs.models import LogItem
from logs.plan import QueryPlan, make_plan
from logs.plan_error import plan_error
from logs.reading.count_result import NAMES, Count, CountResult
from logs.reading.count_scope import CountScope
from logs.reading.counting import count_logs
from logs.reading.merge import Merge, query_all

if TYPE_CHECKING:
    from logs.reading.page import PageRead

# The fields whose values can be grouped. Each is a filter.
FIELDS = (
    "user_id",
    "account_id",
    "type",
    "sub_type",
    "submitter_country",
    "submitter_platform",
    "submitter_browser",
    "url",
    "object",
)
# Digests have no times of single values. So many are looked up in an index: two Querys of two items each.
MAX_LOOKUPS = 25


@dataclass(frozen=True)
class Group:
    """The logs with one value. `first` and `last` are None if they are uncertain."""

    value: str
    name: str | None
    count: Count
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True)
class Groups:
    """The largest groups of a field, the largest first.

    `total` is the number of logs, `number` the number of values, and `counted` how many logs are in a group.
    """

    field: str
    groups: list[Group]
    total: Count
    number: Count
    counted: int

    @property
    def is_complete(self) -> bool:
        """Return whether every log is counted in its group."""
        return self.number.is_exact


def group_logs(read: "PageRead", field: str, limit: int) -> Groups:
    """Return at most `limit` groups of the logs of a plan.

    Costs as a count, and two Querys for each of the largest MAX_LOOKUPS groups if digests counted them.
    """
    result = count_logs(read, lambda start, end: [start], CountScope((field,), read.budget.examined))
    tally = result.values[field]
    values = list(tally.largest(limit))
    times = {value: result.first_and_last(field, value) for value in values}
    uncertain = [value for value in values if None in times[value]]
    lookups = _look_up(read, result, field, uncertain[:MAX_LOOKUPS])
    groups = []
    for value in values:
        first, last = times[value]
        name = _name_of(result, field, value)
        oldest, newest = lookups.get(value, (None, None))
        if oldest:
            first = first or oldest.created_at
        if newest:
            last, name = last or newest.created_at, name or _name(newest, field)
        groups.append(Group(value, name, result.value(field, value), first, last))
    is_exact = field not in result.lower_bounds and not tally.rest and not tally.floors
    return Groups(field, groups, result.total, Count(len(tally.values), is_exact), tally.total)


def _name_of(result: CountResult, field: str, value: str) -> str | None:
    occurrences = result.occurrences[field].get(value)
    return occurrences.name if occurrences else None


def _name(item: LogItem, field: str) -> str | None:
    """Return the name that a log has for its value of a field."""
    return getattr(item, NAMES[field]) if field in NAMES else None


def _look_up(
    read: "PageRead", result: CountResult, field: str, values: list[str]
) -> dict[str, tuple[LogItem | None, LogItem | None]]:
    """Return the oldest and the newest log of values, as far as one Query of an index each has them.

    Logs that nobody may see, or that have expired, may be all that the Query reads.
    """
    plans = {value: plan for value in values if (plan := _plan_of(read.plan, result, field, value))}
    if read.is_spent or not plans:
        return {}
    merges = {
        value: [
            Merge(read, None, 1, replace(plan, filter=replace(plan.filter, order=order)))
            for order in (Order.OLDEST, Order.NEWEST)
        ]
        for value, plan in plans.items()
    }
    query_all(read, [merge for both in merges.values() for merge in both])
    return {
        value: (next(oldest.first_items(), None), next(newest.first_items(), None))
        for value, (oldest, newest) in merges.items()
    }


def _plan_of(plan: QueryPlan, result: CountResult, field: str, value: str) -> QueryPlan | None:
    """Return the plan of one value, or None if no index answers it alone."""
    if field == "url" or not value:
        return None
    changes: dict[str, Any] = {field: (value,)}
    log_filter: LogFilter = replace(plan.filter, **changes)
    if plan_error(log_filter, includes_own=plan.includes_own):
        return None
    narrowed = make_plan(log_filter, plan.shards, includes_own=plan.includes_own)
    if not narrowed.needs_no_post_filter:
        return None
    return narrowed.within(plan.low or to_time(result.start), to_time(result.end - 1)).by_index()
