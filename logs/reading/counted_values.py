"""Which filters the counts of digests answer, and how."""

from dataclasses import dataclass
from itertools import product

from logs.conditions import all_forms
from logs.digests.counts import CountGroup, Tally
from logs.filters import LogFilter
from logs.models import account_type_key

# The fields whose most frequent values are counted.
FIELDS = ("type", "sub_type", "account_id", "user_id")


@dataclass(frozen=True)
class CountedValues:
    """The values of one attribute whose logs are counted. Without an attribute, all logs are.

    `fields` are the fields whose values are counted as well. Counts by hour have types only.
    """

    attribute: str | None
    values: tuple[str, ...]
    fields: tuple[str, ...]

    @property
    def is_by_hour(self) -> bool:
        """Return whether the counts by hour are enough. Otherwise the counts of whole days are read."""
        return self.attribute in (None, "type") and set(self.fields) <= {"type"}

    def number(self, tally: Tally) -> tuple[int, bool]:
        """Return the number of logs in a tally, and whether it is exact."""
        if self.attribute is None:
            return tally.total, True
        numbers = [tally.number(value) for value in self.values]
        return sum(number for number, _ in numbers), all(is_exact for _, is_exact in numbers)

    def tally(self, group: CountGroup) -> Tally:
        """Return the tally of the attribute, for whole days."""
        if self.attribute == "type":
            return types(group)
        return group.wide.get(self.attribute or "account_id", Tally())

    def field_tallies(self, group: CountGroup) -> dict[str, Tally]:
        """Return the tallies of the fields that whole days have for this filter."""
        if self.attribute is None:
            tallies = {name: group.wide.get(name, Tally()) for name in FIELDS if name != "type"}
            return {"type": types(group), **tallies}
        if self.attribute == "account_id":
            return {"type": self._types_of_accounts(group)}
        return {}

    def hour_tallies(self, tally: Tally) -> dict[str, Tally]:
        """Return the tallies of the fields that an hour has for this filter."""
        if self.attribute is None:
            return {"type": tally}
        kept = {value: tally.values[value] for value in self.values if value in tally.values}
        return {"type": Tally(kept, tally.floors & kept.keys())}

    def _types_of_accounts(self, group: CountGroup) -> Tally:
        both = group.wide.get("account_type", Tally())
        tally = Tally(rest=both.rest)
        for key, number in both.values.items():
            account, _, type_ = key.partition("#")
            if account in self.values:
                tally.merge(Tally({type_: number}, {type_} if key in both.floors or both.rest else set()))
        return tally


def types(group: CountGroup) -> Tally:
    """Return the numbers by type of all hours of a group."""
    total = Tally()
    for tally in group.hours.values():
        total.merge(tally)
    return total


def counted_values(
    log_filter: LogFilter, fields: tuple[str, ...], *, is_by_hour: bool
) -> CountedValues | None:
    """Return the counts of digests that answer a filter, or None.

    With `is_by_hour`, only counts by hour are enough.
    """
    if log_filter.needs_documents:
        return None
    values = log_filter.values
    counted = None
    match sorted(values):
        case []:
            counted = CountedValues(None, (), fields)
        case ["type" | "sub_type" | "account_id" | "user_id" as name] if all(values[name]):
            counted = CountedValues(name, tuple(all_forms(values[name])), fields)
        case ["account_id", "type"]:
            pairs = product(all_forms(values["account_id"]), all_forms(values["type"]))
            counted = CountedValues("account_type", tuple(account_type_key(*pair) for pair in pairs), fields)
    return None if counted and is_by_hour and not counted.is_by_hour else counted
