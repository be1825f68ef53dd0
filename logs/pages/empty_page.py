"""Why a page has no rows, and values that may be mistyped."""

import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from logs import spelling, zones
from logs.characters import distinct, reading, strip, visible
from logs.filters import FILTERS, LogFilter, Order
from logs.pages.address import Address
from logs.pages.display import display_moment
from logs.pages.links import Link
from logs.pages.next_steps import next_steps
from logs.reader import CHOICES, Choices, ChoicesLookup, PageResult, PendingPage
from logs.storage.choices import is_recordable, nearest

# Each is compared with every choice.
MAX_UNKNOWN = 3


@dataclass(frozen=True)
class UnknownValue:
    """A value of the filter that is not among the choices, with similar ones.

    No log had it so far if the choices are complete.
    """

    label: str
    value: str
    nearest: list[Link]
    is_complete: bool


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _is_joined(value: str, values: tuple[str, ...]) -> bool:
    """Return whether a value is only the text that several values were typed in."""
    return "," in value and {strip(part) for part in spelling.split(value)} <= {*values, ""}


class EmptyPage:
    """A page without rows: why it is empty, and the next steps."""

    def __init__(
        self, result: PageResult | PendingPage, address: Address, choices: ChoicesLookup | None = None
    ) -> None:
        """Explain a page. Reads the choices if a value may be mistyped, and raises StoreUnavailable."""
        self.plan = result.plan
        self.filter = result.plan.filter
        self.page = result.page
        self.address = address
        self.choices: Choices | None = choices() if choices and self.may_be_mistyped else None

    @property
    def may_be_mistyped(self) -> bool:
        """Return whether an empty page may come from a mistyped value that has choices."""
        is_empty = self.page.complete and not self.page.items
        return is_empty and any(self._values(name) for name in CHOICES)

    def _values(self, name: str) -> tuple[str, ...]:
        """Return the values of a filter. A missing value (an empty text) is none of them."""
        return tuple(filter(None, getattr(self.filter, name)))

    @cached_property
    def _unknown(self) -> list[tuple[str, str]]:
        """Return name and value of each value of the filter that is not among the choices."""
        if self.choices is None:
            return []
        unknown = []
        for name in CHOICES:
            # A filter finds both forms of accents, so a choice in another form is no other value.
            seen = set(map(_composed, self.choices.values(name)))
            # A longer value may exist all the same.
            values = self._values(name)
            unknown += [
                (name, value)
                for value in values
                if _composed(value) not in seen and is_recordable(value) and not _is_joined(value, values)
            ]
        return unknown

    @property
    def unknown_values(self) -> list[UnknownValue]:
        """Return the first unknown values of the filter, with the most similar choices."""
        values: list[UnknownValue] = []
        read: set[tuple[str, str]] = set()
        for name, value in self._unknown[:MAX_UNKNOWN]:
            unknown = self._unknown_value(name, value)
            # Two suggestions never read alike: the parts of a value with a comma resemble the same choice.
            links = [link for link in unknown.nearest if (name, reading(link.text)) not in read]
            read |= {(name, reading(link.text)) for link in links}
            values.append(replace(unknown, nearest=links))
        return values

    @property
    def more_unknown(self) -> int:
        """Return the number of further unknown values."""
        return max(0, len(self._unknown) - MAX_UNKNOWN)

    def _unknown_value(self, name: str, value: str) -> UnknownValue:
        choices = self.choices or Choices([], [])
        links = [
            Link(visible(other), self.address.narrow(**{name: self._replaced(name, value, other)}))
            for other in distinct(nearest(value, choices.values(name)))
        ]
        return UnknownValue(FILTERS[name].label.lower(), visible(value), links, choices.is_complete(name))

    def _replaced(self, name: str, value: str, other: str) -> tuple[str, ...]:
        """Return the values of a filter with another one in the place of one."""
        return tuple(other if each == value else each for each in getattr(self.filter, name))

    @property
    def text(self) -> str:
        """Return the text of a page without rows."""
        if not self.page.complete:
            return "No logs match so far."
        if self.filter == LogFilter(order=self.filter.order):
            return "No logs yet."
        if self.plan.needs_no_post_filter:
            return "No logs match this filter."
        return f"No logs match. Searched everything{self._end_of_range}."

    @property
    def next_steps(self) -> list[Link]:
        """Return the links to pages that may have rows. A page that is not complete has its own link."""
        if not self.page.complete:
            return []
        return next_steps(self.address) or [Link("Reload this page", self.address.url())]

    @property
    def _end_of_range(self) -> str:
        """Return the end of the filter's range that is read last, if it has one."""
        if self.filter.order is Order.OLDEST:
            return f" up to {self._moment(self.filter.end)}" if self.filter.end else ""
        return f" back to {self._moment(self.filter.start)}" if self.filter.start else ""

    def _moment(self, moment: datetime) -> str:
        return f"{display_moment(moment, self.address.zone)} {zones.label(self.address.zone)}"
