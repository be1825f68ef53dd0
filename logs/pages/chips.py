"""The chips above the list: each has a value and the address without it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from logs.characters import visible
from logs.filters import EXCLUDED, FILTERS, Filter
from logs.pages.address import Address

# Each chip holds the address of all other values. The rest is in the fields.
MAX_CHIPS = 20
MAX_TEXT = 60


@dataclass(frozen=True)
class Chip:
    """A value of the filter: `not`, `type`, `view`. `href` is the address without it."""

    label: str
    text: str
    href: str
    is_excluded: bool = False

    @property
    def name(self) -> str:
        """Return the whole chip as text."""
        return " ".join(filter(None, ["not" if self.is_excluded else "", self.label, self.text]))


@dataclass(frozen=True)
class Chips:
    """The chips of a filter, and how many more values it has."""

    shown: list[Chip]
    more: int


def make_chips(address: Address) -> Chips:
    """Return the chips of the page's filter: first the range, then the values."""
    values = list(_values(address))
    return Chips([_chip(address, *value) for value in values[:MAX_CHIPS]], max(0, len(values) - MAX_CHIPS))


def _values(address: Address) -> Iterator[tuple[str, str, dict[str, Any], bool]]:
    """Yield label and text of each value, the filter without it, and whether it is excluded."""
    log_filter = address.filter
    typed = address.time_range
    if typed and typed.duration:
        yield "", f"last {typed.duration}", {"start": None, "end": None}, False
    elif text := address.range_text:
        yield "", text, {"start": None, "end": None}, False
    for name, value in log_filter.values.items():
        each = FILTERS[name]
        is_excluded = name.startswith(EXCLUDED)
        for one in value if isinstance(value, tuple) else (value,):
            rest = tuple(other for other in value if other != one) if isinstance(value, tuple) else None
            changes = {name: rest} | ({"match_case": False} if name == "q" else {})
            yield _label(each), each.display(one), changes, is_excluded
    for path in log_filter.paths:
        for one in path.values:
            others = tuple(other for other in path.values if other != one)
            paths = tuple(
                replace(each, values=others) if each == path else each
                for each in log_filter.paths
                if others or each != path
            )
            yield path.parameter, one, {"paths": paths}, False


def _label(each: Filter) -> str:
    """Return the label of a filter within a line: `account`, but `IP address`."""
    if each.name == "q":
        return "search"
    label = FILTERS[each.included].label
    return f"{label[0].lower()}{label[1:]}" if label[1:2].islower() else label


def _chip(address: Address, label: str, text: str, changes: dict[str, Any], is_excluded: bool) -> Chip:
    shown = visible(text)
    if len(shown) > MAX_TEXT:
        shown = f"{shown[:MAX_TEXT]}…"
    return Chip(visible(label), shown, address.narrow(**changes), is_excluded)
