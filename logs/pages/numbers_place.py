"""The place of the numbers above the rows. The rows never wait for them."""

from dataclasses import dataclass

from logs.pages.address import Address
from logs.pages.numbers import is_countable


@dataclass(frozen=True)
class NumbersPlace:
    """The place of the numbers of a page. A reader may hide them."""

    address: Address
    is_hidden: bool

    @property
    def is_countable(self) -> bool:
        """Return whether counts cover the filter."""
        return is_countable(self.address.filter)

    @property
    def href(self) -> str:
        """Return the address of the numbers. A relative range stays relative."""
        return f"numbers/{self.address.url()}"
