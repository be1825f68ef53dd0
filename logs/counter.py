"""Count logs: by time, by value, and by group."""

from collections.abc import Sequence

from logs.plan import QueryPlan
from logs.reading.budget import MAX_COUNTED, Budget, Cost
from logs.reading.count_result import Bucket, CountResult, bucket_moments, default_bucket
from logs.reading.count_scope import CountScope
from logs.reading.counting import Starts, count_logs
from logs.reading.grouping import Groups, group_logs
from logs.reading.page import PageRead
from logs.storage.errors import store_unavailable


def counts(
    plan: QueryPlan,
    bucket: Bucket | None = None,
    fields: tuple[str, ...] = ("type",),
    budget: Budget = Budget(examined=MAX_COUNTED),  # noqa: B008  frozen
) -> tuple[CountResult, Cost]:
    """Return how many logs match, by hour or by day, and the cost.

    Without a bucket it is the hour for a range of up to three days, otherwise the day. Digests answer a
    filter by type, and by days one by account, account and type, user or subtype. All others, and ranges
    without digests, are counted in the index within the budget. `fields` are of counted_values.FIELDS. A
    range without a beginning begins with the first log. Raises TooManyBuckets and StoreUnavailable.
    """
    chosen = bucket

    def starts(start: int, end: int) -> Sequence[int]:
        nonlocal chosen
        chosen = chosen or default_bucket(start, end)
        return bucket_moments(start, end, chosen)

    result, cost = numbers(plan, starts, CountScope(fields), budget)
    result.bucket = chosen or Bucket.DAY
    return result, cost


def numbers(plan: QueryPlan, starts: Starts, scope: CountScope, budget: Budget) -> tuple[CountResult, Cost]:
    """Return how many logs match, by buckets and by value, and the cost.

    `starts` returns the first moments of the buckets. The range is as in `counts`. Raises StoreUnavailable.
    """
    read = PageRead(plan, budget)
    with store_unavailable():
        return count_logs(read, starts, scope), read.cost


def groups(plan: QueryPlan, field: str, limit: int, budget: Budget) -> tuple[Groups, Cost]:
    """Return the largest groups of a field of grouping.FIELDS, and the cost. Raises StoreUnavailable."""
    read = PageRead(plan, budget)
    with store_unavailable():
        return group_logs(read, field, limit), read.cost
