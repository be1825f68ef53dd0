"""Facets: the most frequent values of some fields, each a filter."""

from collections.abc import Iterator
from dataclasses import dataclass

from logs.pages.address import Address
from logs.pages.labels import name_values
from logs.pages.value_choice import NOUNS, ValueChoice, groups_address, make_choice
from logs.reading.count_result import CountResult

FIELDS = ("type", "sub_type", "user_id", "account_id", "submitter_country")
MAX_VALUES = 5
MAX_CHARACTERS = 60


@dataclass(frozen=True)
class Facet:
    """The most frequent values of a field.

    `more` is the address of all of them. `note` says of how many logs they are if not all were read.
    """

    title: str
    choices: list[ValueChoice]
    more: str
    note: str


def make_facets(result: CountResult, address: Address, grouped: Address, prefix: str) -> Iterator[Facet]:
    """Yield the facets of a count.

    `prefix` is the path of the listing. `grouped` has the counted range, which `address` may lack.
    """
    for field in FIELDS:
        tally = result.values[field]
        values = [value for value, number in tally.largest(MAX_VALUES).items() if number]
        occurrences = result.occurrences[field]
        names = name_values(
            field, {value: occurrences[value].name if value in occurrences else None for value in values}
        )
        plural = NOUNS[field][1]
        yield Facet(
            title=f"{plural[0].upper()}{plural[1:]}",
            choices=[
                make_choice(
                    address,
                    prefix,
                    field,
                    value,
                    names.get(value, ""),
                    result.value(field, value),
                    MAX_CHARACTERS,
                )
                for value in values
            ],
            more=groups_address(grouped, prefix, field),
            note=_note(result, field),
        )


def _note(result: CountResult, field: str) -> str:
    """Return of how many logs the numbers of a field are, or an empty text if they are of all."""
    counted, total = result.values[field].total, result.total
    if field not in result.lower_bounds or (total.is_exact and counted >= total.number):
        return ""
    return f"of {counted:,} logs read" if counted else "not counted"
