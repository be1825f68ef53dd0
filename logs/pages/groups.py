"""The group by view: the values of one field, with their numbers and times."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo

from logs import times, zones
from logs.exports.cells import neutralize
from logs.pages import sentence
from logs.pages.address import Address
from logs.pages.display import display_moment
from logs.pages.histogram import Number
from logs.pages.labels import name_values
from logs.pages.links import Link
from logs.pages.numbers import is_countable
from logs.pages.value_choice import NOUNS, ValueChoice, groups_address, make_choice
from logs.reading.budget import Cost
from logs.reading.count_result import Count
from logs.reading.grouping import FIELDS, Groups

# A page of values of 1,024 bytes, with three addresses each, stays below the limit of a response.
MAX_ROWS = 200
MAX_CSV_ROWS = 1_000
MAX_CHARACTERS = 200
CSV_COLUMNS = ("value", "name", "count", "exact", "first", "last")
# The name of a type whose plural has an s.
REGULAR = re.compile(r"[a-z]{3,20}(?<![sxzyh])")
# Excel otherwise guesses the encoding.
BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class Row:
    """One group. Its times are empty if they are uncertain."""

    choice: ValueChoice
    number: Number
    first: str
    last: str


class GroupsPage:
    """The groups of a field, with all that the template shows."""

    def __init__(self, result: Groups, address: Address, prefix: str, cost: Cost) -> None:
        """Show groups. `prefix` is the path of the listing, before each address."""
        self._result, self._address, self._prefix = result, address, prefix
        self._zone: tzinfo = address.zone
        self.cost = cost
        self.back = f"{prefix}{address.url()}"
        self.column = NOUNS[result.field][0].capitalize() if result.field != "url" else "URL"
        self.zone_label = zones.label(self._zone)

    @property
    def title(self) -> str:
        """Return the numbers in words, such as `119 exports by 27 users`."""
        groups = self._result
        word = "by" if groups.field == "user_id" else "of" if groups.field == "account_id" else "with"
        return f"{_many(groups.total, *self._noun)} {word} {_many(groups.number, *NOUNS[groups.field])}"

    @property
    def _noun(self) -> tuple[str, str]:
        """Return the words for a log: its type if the filter has one alone."""
        types = self._address.filter.type
        if len(types) == 1 and REGULAR.fullmatch(types[0]):
            return types[0], f"{types[0]}s"
        return "log", "logs"

    @property
    def sentence(self) -> str:
        """Return the filter in words."""
        return sentence.title(self._address.plan, sentence.Times(self._zone, self._address.time_range))

    @property
    def note(self) -> str:
        """Return of how many logs the groups are if some logs were not read."""
        groups = self._result
        if not is_countable(self._address.filter):
            return "A search in texts or payloads is not counted. Remove it to see numbers."
        if groups.is_complete or (groups.total.is_exact and groups.counted >= groups.total.number):
            return ""
        return f"These are the values of {groups.counted:,} logs. Set a shorter range to count all logs."

    @property
    def more(self) -> int:
        """Return how many values are not shown."""
        return max(0, self._result.number.number - len(self._result.groups[:MAX_ROWS]))

    @property
    def rows(self) -> Iterator[Row]:
        """Yield the groups, the largest first."""
        names = self._names
        for each in self._result.groups[:MAX_ROWS]:
            choice = make_choice(
                self._address,
                self._prefix,
                self._result.field,
                each.value,
                names.get(each.value, ""),
                each.count,
                MAX_CHARACTERS,
            )
            yield Row(choice, Number.of(each.count), self._moment(each.first), self._moment(each.last))

    @property
    def fields(self) -> list[Link]:
        """Return the links to the groups of each field. That of this page has no address."""
        return [
            Link(
                NOUNS[field][0],
                None if field == self._result.field else groups_address(self._address, self._prefix, field),
            )
            for field in FIELDS
        ]

    @property
    def csv(self) -> str:
        """Return the address of the same groups as CSV."""
        return groups_address(self._address, self._prefix, self._result.field, {"format": "csv"})

    @property
    def max_csv_rows(self) -> int:
        """Return how many groups a file has at most."""
        return MAX_CSV_ROWS

    @property
    def milliseconds(self) -> int:
        """Return how long the reading took."""
        return round(self.cost.seconds * 1000)

    @property
    def _names(self) -> dict[str, str]:
        return name_values(self._result.field, {each.value: each.name for each in self._result.groups})

    def _moment(self, moment: datetime | None) -> str:
        return display_moment(moment.replace(microsecond=0), self._zone) if moment else ""

    def write_csv(self) -> str:
        """Return the groups as CSV, in which no cell is a formula. Times are in UTC."""
        file = io.StringIO()
        writer = csv.writer(file)
        writer.writerow(CSV_COLUMNS)
        names = self._names
        for each in self._result.groups:
            moments = [times.to_text(moment) if moment else "" for moment in (each.first, each.last)]
            texts = [neutralize(text) for text in (each.value, names.get(each.value, ""))]
            writer.writerow([*texts, each.count.number, str(each.count.is_exact).lower(), *moments])
        return f"{BYTE_ORDER_MARK}{file.getvalue()}"


def _many(count: Count, one: str, several: str) -> str:
    """Return a number with its noun: `at least 27 users`."""
    number = Number.of(count)
    text = f"{number.text} {one if number.text == '1' else several}"
    return text if number.is_exact else f"at least {text}"
