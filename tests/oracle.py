"""What a walk must return, computed in plain Python from the stored items."""

from collections.abc import Iterable

from logs.filters import LogFilter, Order
from logs.models import LogItem
from logs.reader import Page


def matches(item: LogItem, log_filter: LogFilter) -> bool:
    """Return whether the filter includes the item."""
    return (
        (not log_filter.account_id or item.account_id in log_filter.account_id)
        and (not log_filter.type or item.type in log_filter.type)
        and (log_filter.start is None or item.created_at >= log_filter.start)
        and (log_filter.end is None or item.created_at < log_filter.end)
        and log_filter.user_id in (None, item.user_id)
        and (log_filter.url is None or log_filter.url in item.url)
        and (log_filter.q is None or log_filter.q in item.url or log_filter.q in (item.payload or ""))
    )


def matching(items: Iterable[LogItem], log_filter: LogFilter) -> list[LogItem]:
    """Return the items that the filter includes."""
    return [item for item in items if matches(item, log_filter)]


def assert_exact(pages: Iterable[Page], expected: list[LogItem], order: Order) -> None:
    """Raise AssertionError unless the pages hold each expected log once, in order of time."""
    walked = [item for page in pages for item in page.items]
    assert sorted(item.id for item in walked) == sorted(item.id for item in expected)
    moments = [item.created_at for item in walked]
    assert moments == sorted(moments, reverse=order is Order.NEWEST)
