"""The progress of a page that ran out of its budget."""

from dataclasses import dataclass

from logs import zones
from logs.filters import Order
from logs.pages.address import Address
from logs.pages.display import display_moment
from logs.plan import Direction, Position
from logs.reader import PageResult, PendingPage


@dataclass(frozen=True)
class Progress:
    """The progress of a page. Its address is that of the first page of its plan."""

    result: PageResult | PendingPage
    address: Address

    @property
    def text(self) -> str | None:
        """Return how far an incomplete page read, or None for a complete page."""
        page = self.result.page
        return None if page.complete else f"Searched {page.cost.inspected:,} logs{self.reached}."

    @property
    def reached(self) -> str:
        """Return how far an incomplete page read, as the end of a sentence.

        For example: ", back to 19 Nov 2026 12:40 UTC".
        """
        moment, zone = self.result.page.reached, self.address.zone
        if moment is None:
            return ""
        towards_later = (self.address.filter.order is Order.OLDEST) is not self.is_backwards
        direction = "up to" if towards_later else "back to"
        return f", {direction} {display_moment(moment.replace(microsecond=0), zone)} {zones.label(zone)}"

    @property
    def onward(self) -> str | None:
        """Return the address where an incomplete page continues, or None for a complete page."""
        page = self.result.page
        if page.complete:
            return None
        return self.address.url(start=page.previous if self.is_backwards else page.next)

    @property
    def is_backwards(self) -> bool:
        """Return whether the page was read backwards. More logs then go above its rows."""
        start = self.result.query.start
        return isinstance(start, Position) and start.direction is Direction.PREVIOUS
