"""The addresses that show one value alone, for each row of a listing."""

import re
from itertools import count
from urllib.parse import quote_plus

from django.utils.html import escape

from logs import spelling
from logs.filters import FILTERS
from logs.pages.address import Address


class ValueLinks:
    """Addresses of the listing with other values of some filters, escaped for HTML.

    The text before and after the values is made once: an address of its own for each row takes ten times as
    long.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._pieces: dict[tuple[str, ...], list[str]] = {}
        self._texts: dict[tuple[str, str], str] = {}

    def narrow(self, **values: str) -> str:
        """Return what `Address.narrow` returns for one value of each of these filters.

        The order of the filters is that of LogFilter.
        """
        names = tuple(values)
        pieces = self._pieces.get(names)
        if pieces is None:
            pieces = self._pieces[names] = self._split(names)
        if len(pieces) == 2:
            [(name, value)] = values.items()
            return f"{pieces[0]}{self._text(name, value)}{pieces[1]}"
        texts = [self._text(name, value) for name, value in values.items()]
        return "".join(map("".join, zip(pieces, [*texts, ""], strict=True)))

    def _split(self, names: tuple[str, ...]) -> list[str]:
        """Return the parts of the address around the values."""
        address = self._address.url()
        token = next(token for number in count() if (token := f"x{number}x") not in address)
        narrow = self._address.narrow(**{name: (f"{token}{name}{token}",) for name in names})
        return re.split("|".join(f"{token}{name}{token}" for name in names), str(escape(narrow)))

    def _text(self, name: str, value: str) -> str:
        """Return a value as a query string has it. No character of it is special in HTML."""
        text = self._texts.get((name, value))
        if text is None:
            spelled = spelling.write(value, FILTERS[name].words).replace(",", "\\,")
            text = self._texts[name, value] = quote_plus(spelled)
        return text
