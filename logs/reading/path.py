"""Whether digests or an index answer a filter."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from logs.digests import state
from logs.digests.moments import to_moment
from logs.index_choice import INDEX_FILTERS
from logs.models import SortingIndex
from logs.plan import QueryPlan
from logs.reading.log_match import make_filter_probe
from logs.reading.stream import between
from logs.storage import digest_items, dynamodb
from logs.storage.digest_items import DigestsUnavailable

if TYPE_CHECKING:
    from logs.reading.page import PageRead


def choose(read: "PageRead") -> QueryPlan:
    """Return the plan of a page with its path.

    Digests answer a filter with a text, and one with a value in no index. For a text in the logs of a
    key, such as one account, the index is cheaper if a page can fetch all logs of the key. Costs a Query
    per stream of the index, which counts them, and a GetItem; nothing without a key.
    """
    plan = read.plan
    log_filter = plan.filter
    if not digest_items.is_on() or not (log_filter.needs_documents or _excludes_more(plan)):
        return plan.by_index()
    if plan.index == SortingIndex.Meta.index_name:
        return plan.by_digests()
    if not log_filter.needs_documents or not _is_built(read) or _is_narrow(read):
        return plan.by_index()
    return plan.by_digests()


def _excludes_more(plan: QueryPlan) -> bool:
    """Return whether signatures have a value that the index does not answer."""
    keys = INDEX_FILTERS[plan.index]
    without_keys: dict[str, Any] = dict.fromkeys(keys, ())
    others = replace(plan.filter, **without_keys)
    return bool(make_filter_probe(others))


def _is_narrow(read: "PageRead") -> bool:
    """Return whether one page can fetch all logs of the keys in the range."""
    limit = max(1, read.budget.payloads // len(read.plan.streams))
    spans = [(stream, read.plan.span(stream, None)) for stream in read.plan.streams]
    calls = [
        partial(dynamodb.count, stream.index, stream.key, between(span.low, span.high), limit)
        for stream, span in spans
        if span
    ]
    return not any("LastEvaluatedKey" in response for response in read.request(calls))


def _is_built(read: "PageRead") -> bool:
    """Return whether the range begins before the end of the digests."""
    try:
        data = read.get_digests([state.KEY])
    except DigestsUnavailable:
        return False
    frontier = state.from_data(next(iter(data.values()), None)).frontier
    low = read.plan.low
    return frontier is not None and (low is None or to_moment(low) < frontier)
