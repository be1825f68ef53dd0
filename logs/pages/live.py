"""The switch of the listing that shows new logs while they arrive."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from logs import cursor
from logs.filters import Order
from logs.pages.address import Address
from logs.plan import Position, QueryPlan
from logs.reader import PageResult, PendingPage
from logs.reading.tail import first_position, tail_plan

# A relative range such as `-2h` ends with the current minute. The page may have taken some seconds since.
NOW = timedelta(minutes=1)
SLACK = timedelta(seconds=10)


class LiveSwitch:
    """The switch of a page. Only the first page of the newest logs can follow."""

    def __init__(self, address: Address, result: PageResult | PendingPage) -> None:
        self._address = address
        self._result = result
        self._now = datetime.now(UTC)
        self._end = range_end(address, self._now)
        log_filter = replace(address.filter, order=Order.NEWEST)
        if self._end is not None and self._end <= self._now:
            log_filter = replace(log_filter, start=None, end=None)
        self._filter = log_filter
        self.can_follow = log_filter == address.filter and result.query.start is None

    @property
    def href(self) -> str:
        """Return the address of the newest logs of the filter, which a script follows."""
        return f"{self._address.url(self._filter)}#live"

    @property
    def poll(self) -> str | None:
        """Return the address of newer rows, or None if the page cannot follow."""
        if not self.can_follow:
            return None
        page, plan = self._result.page, self._address.plan
        position = first_position(plan, page.items, self._now, is_end=page.next is None)
        return poll_address(self._address, tail_plan(plan, self._end), position)


def range_end(address: Address, now: datetime) -> datetime | None:
    """Return the end of a page's range. It is None if open or moving."""
    end, each = address.filter.end, address.time_range
    moves = end and each and each.is_relative and now - SLACK <= end <= now + NOW
    return None if moves else end


def poll_address(address: Address, plan: QueryPlan, position: Position) -> str:
    """Return the address of the rows from a position on."""
    return f"live/{address.url(cursor=cursor.encode(position, plan))}"
