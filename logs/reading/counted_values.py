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
    """The values of one attribute whose logs digests count. Without an attribute, all logs are."""

    attribute: str | None
    values: tuple[str, ...]

    @property
    def is_by_hour(self) -> bool:
        """Return whether hours are counted, by type. Otherwise whole days are."""
        return self.attribute in (None, "type")

    @property
    def day_fields(self) -> tuple[str, ...]:
        """Return the fields that whole days count, beside the types of hours."""
        if self.attribute is None:
            return ("sub_type", "account_id", "user_id")
        return ("type",) if self.attribute in ("account_id", "account_type") else ()

    @property
    def fields(self) -> set[str]:
        """Return the fields that are counted for this filter."""
        return {*(("type",) if self.is_by_hour else ()), *self.day_fields}

    def number(self, tally: Tally) -> tuple[int, bool]:
        """Return the number of logs in a tally, and whether it is exact."""
        if self.attribute is None:
            return tally.total, True
        numbers = [tally.number(value) for value in self.values]
        return sum(number for number, _ in numbers), all(is_exact for _, is_exact in numbers)

    def tally(self, group: CountGroup) -> Tally:
        """Return the tally of the attribute, for whole days."""
        return group.wide.get(self.attribute or "account_id", Tally())

    def field_tallies(self, group: CountGroup) -> dict[str, Tally]:
        """Return the tallies of the fields that whole days have for this filter."""
        if self.attribute is None:
            return {name: group.wide.get(name, Tally()) for name in self.day_fields}
        return {"type": self._types_of_accounts(group)} if self.day_fields else {}

    def types_of_hour(self, tally: Tally) -> Tally:
        """Return the numbers by type of an hour for this filter."""
        if self.attribute is None:
            return tally
        # A type that is not listed may be in the rest.
        kept = {
            value: tally.values.get(value, 0) for value in self.values if value in tally.values or tally.rest
        }
        return Tally(kept, {value for value in kept if not tally.number(value)[1]})

    def _types_of_accounts(self, group: CountGroup) -> Tally:
        both = group.wide.get("account_type", Tally())
        tally = Tally(rest=both.rest if self.attribute == "account_id" else 0)
        for key, number in both.values.items():
            account, _, type_ = key.partition("#")
            if (key if self.attribute == "account_type" else account) in self.values:
                tally.merge(Tally({type_: number}, {type_} if key in both.floors or both.rest else set()))
        return tally


def counted_values(log_filter: LogFilter) -> CountedValues | None:
    """Return the counts of digests that answer a filter, or None."""
    if log_filter.needs_documents:
        return None
    values = log_filter.values
    match sorted(values):
        case []:
            return CountedValues(None, ())
        case ["type" | "sub_type" | "account_id" | "user_id" as name] if all(values[name]):
            return CountedValues(name, tuple(all_forms(values[name])))
        case ["account_id", "type"]:
            pairs = product(all_forms(values["account_id"]), all_forms(values["type"]))
            return CountedValues("account_type", tuple(account_type_key(*pair) for pair in pairs))
    return None
