"""The switch of the listing that shows new logs while they arrive."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from logs import cursor
from logs.filters import Order
from logs.pages.address import Address
from logs.plan import Position, QueryPlan
from logs.reader import PageResult
from logs.reading.tail import first_position, tail_plan

# A relative range such as `-2h` ends with the current minute. The page may have taken some seconds since.
NOW = timedelta(minutes=1)
SLACK = timedelta(seconds=10)


@dataclass(frozen=True)
class LiveSwitch:
    """The switch of a page.

    `href` is the address of the newest logs of its filter, where a script starts to follow them. `poll` is
    the address of the rows that are new on this page, or None if the page cannot follow.
    """

    href: str
    poll: str | None


def make_switch(address: Address, result: PageResult) -> LiveSwitch:
    """Return the switch of a page. Only the first page of the newest logs can follow."""
    now = datetime.now(UTC)
    log_filter = replace(address.filter, order=Order.NEWEST)
    end = range_end(address, now)
    is_over = end is not None and end <= now
    if is_over:
        log_filter = replace(log_filter, start=None, end=None)
    poll = None
    if log_filter == address.filter and result.query.start is None:
        position = first_position(address.plan, result.page.items, now, is_end=result.page.next is None)
        poll = poll_address(address, tail_plan(address.plan, end), position)
    return LiveSwitch(f"{address.url(log_filter)}#live", poll)


def range_end(address: Address, now: datetime) -> datetime | None:
    """Return the end of a page's range. It is None if open or moving."""
    end, each = address.filter.end, address.time_range
    moves = end and each and each.is_relative and now - SLACK <= end <= now + NOW
    return None if moves else end


def poll_address(address: Address, plan: QueryPlan, position: Position) -> str:
    """Return the address of the rows from a position on."""
    return f"live/{address.url(cursor=cursor.encode(position, plan))}"
