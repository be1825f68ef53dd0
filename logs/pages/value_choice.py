"""A value of a group or a facet, and the filters with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from logs.conditions import all_forms
from logs.fields import MAX_BYTES
from logs.filters import EXCLUDED, FILTERS
from logs.form_fields import DEFAULT_LIMIT
from logs.pages.address import Address
from logs.pages.display import display_who, shorten
from logs.reading.count_result import Count

NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})
# field → the words for one of its values, and for several
NOUNS = {
    "user_id": ("user", "users"),
    "account_id": ("account", "accounts"),
    "type": ("type", "types"),
    "sub_type": ("subtype", "subtypes"),
    "submitter_country": ("country", "countries"),
    "submitter_platform": ("platform", "platforms"),
    "submitter_browser": ("browser", "browsers"),
    "url": ("URL", "URLs"),
    "object": ("object", "objects"),
}


@dataclass(frozen=True)
class ValueChoice:
    """A value with its number. `only` and `rest` are addresses, or None if no filter has them."""

    text: str
    name: str
    number: str
    is_exact: bool
    only: str | None
    rest: str | None


def make_choice(
    address: Address, prefix: str, field: str, value: str, name: str, count: Count, length: int
) -> ValueChoice:
    """Return a value as pages show it, in at most about `length` characters.

    `prefix` is the path of the listing.
    """
    only, rest = _only(address, field, value), _rest(address, field, value)
    return ValueChoice(
        text=_display(field, value, length),
        name=shorten(name, length),
        number=f"{count.number:,}",
        is_exact=count.is_exact,
        only=only and f"{prefix}{only}",
        rest=rest and f"{prefix}{rest}",
    )


def _display(field: str, value: str, length: int) -> str:
    if not value:
        return "—"
    return display_who(value) if field in ("account_id", "user_id") else shorten(value, length)


def _only(address: Address, field: str, value: str) -> str | None:
    """Return the address of the logs with a value."""
    # The filter of objects has no word for a missing one, and no filter takes a longer text.
    if (field == "object" and not value) or len(value.encode()) > MAX_BYTES:
        return None
    changes: dict[str, Any] = {field: value if field == "url" else (value,)}
    return address.narrow(**changes)


def _rest(address: Address, field: str, value: str) -> str | None:
    """Return the address of the logs with another value."""
    excluded = f"{EXCLUDED}{field}"
    if excluded not in FILTERS or len(value.encode()) > MAX_BYTES:
        return None
    if included := getattr(address.filter, field):
        others = tuple(each for each in included if each not in all_forms([value]))
        return address.narrow(**{field: others}) if others else None
    return address.narrow(**{excluded: (*getattr(address.filter, excluded), value)})


def groups_address(
    address: Address, prefix: str, field: str, extra: Mapping[str, str] = NO_PARAMETERS
) -> str:
    """Return the address of the groups of a field, with further parameters."""
    parameters: dict[str, Any] = {"field": field, **extra}
    query = address.url(limit=DEFAULT_LIMIT, **parameters)
    return f"{prefix}groups/{query}"
