"""What a walk must return, computed in plain Python from the stored items."""

from collections.abc import Iterable

from logs.filters import LogFilter, Order
from logs.models import LogItem
from logs.reader import Page

INCLUDED = (
    "account_id",
    "type",
    "sub_type",
    "user_id",
    "submitter_country",
    "submitter_platform",
    "submitter_browser",
)
OTHERS = ("request_id", "trace_id", "submitter_ip", "submitter_city")


def matches(item: LogItem, log_filter: LogFilter) -> bool:
    """Return whether the filter includes the item."""
    return (
        (log_filter.start is None or item.created_at >= log_filter.start)
        and (log_filter.end is None or item.created_at < log_filter.end)
        and all(_is_one_of(item, name, getattr(log_filter, name)) for name in INCLUDED + OTHERS)
        and (not log_filter.object or f"{item.object_type}:{item.object_id}" in log_filter.object)
        and not any((getattr(item, name) or "") in getattr(log_filter, f"not_{name}") for name in INCLUDED)
        and (log_filter.url is None or log_filter.url in item.url)
        and (log_filter.user_name is None or log_filter.user_name in (item.user_name or ""))
        and (log_filter.payload_size_min is None or (item.payload_size or 0) >= log_filter.payload_size_min)
        and (log_filter.q is None or log_filter.q in item.url or log_filter.q in (item.payload or ""))
    )


def _is_one_of(item: LogItem, name: str, values: tuple[str, ...]) -> bool:
    return not values or (getattr(item, name) or "") in values


def matching(items: Iterable[LogItem], log_filter: LogFilter) -> list[LogItem]:
    """Return the items that the filter includes."""
    return [item for item in items if matches(item, log_filter)]


def assert_exact(pages: Iterable[Page], expected: list[LogItem], order: Order) -> None:
    """Raise AssertionError unless the pages hold each expected log once, in order of time."""
    walked = [item for page in pages for item in page.items]
    assert sorted(item.id for item in walked) == sorted(item.id for item in expected)
    moments = [item.created_at for item in walked]
    assert moments == sorted(moments, reverse=order is Order.NEWEST)
