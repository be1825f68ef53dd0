"""The cost of the current month, as the overview shows it."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from logs.digests.moments import to_moment
from logs.pages import monthly_cost
from logs.pages.histogram import Number
from logs.pages.monthly_cost import Line, Month
from logs.pages.overview_numbers import OverviewNumbers, month_start
from logs.storage import digest_items

# Larger quantities have no decimals.
THOUSAND = 1_000


@dataclass(frozen=True)
class BillRow:
    """A line of the bill as texts."""

    text: str
    quantity: str
    unit: str
    price: str
    dollars: str


@dataclass(frozen=True)
class Bill:
    """The cost of a month so far, and of the whole month."""

    lines: list[Line]
    logs: Number
    is_exact: bool
    elapsed: float
    days: int
    prices_of = monthly_cost.PRICES_OF

    @property
    def noun(self) -> str:
        """Return what is counted, in the right number."""
        return "log" if self.logs == Number("1", is_exact=True) else "logs"

    @property
    def rows(self) -> Iterator[BillRow]:
        """Yield the lines as texts."""
        for line in self.lines:
            yield BillRow(
                line.text,
                f"{line.quantity:,.4g}" if line.quantity < THOUSAND else f"{line.quantity:,.0f}",
                line.price.unit,
                f"{line.price.price:.10f}".rstrip("0").ljust(4, "0"),
                f"{line.dollars:,.2f}",
            )

    @property
    def total(self) -> str:
        """Return the dollars so far."""
        return f"{'' if self.is_exact else 'at least '}{monthly_cost.total(self.lines):,.2f}"

    @property
    def whole(self) -> str:
        """Return the dollars of the whole month at the same rate."""
        whole = monthly_cost.total(self.lines) / self.elapsed * self.days if self.elapsed else 0
        return f"{'' if self.is_exact else 'at least '}{whole:,.2f}"


def make_bill(numbers: OverviewNumbers) -> Bill | None:
    """Return the bill of the current month, or None without a log to measure."""
    if (sizes := numbers.sizes) is None:
        return None
    now, hours = numbers.now, numbers.hours
    start = month_start(now)
    elapsed = (now - start) / timedelta(days=1)
    logs = hours.number(to_moment(start), hours.end)
    month = Month(
        logs=logs.number,
        stored=hours.total.number,
        item_bytes=sizes.item_bytes,
        stored_bytes=sizes.stored_bytes,
        write_units=sizes.write_units,
        part=elapsed / monthly_cost.DAYS,
    )
    lines = list(monthly_cost.log_lines(month))
    if digest_items.is_on():
        lines += monthly_cost.digest_lines(month)
    days = monthrange(now.year, now.month)[1]
    return Bill(lines, Number.of(logs), hours.total.is_exact, elapsed, days)
