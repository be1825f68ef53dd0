"""All filters in one table: a field of LogFilter is a filter."""

import hashlib
import json
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from functools import reduce
from typing import Any
from unicodedata import normalize

from pynamodb.expressions.condition import Condition

from logs import times
from logs.models import LogItem


class Order(StrEnum):
    """Which end of the time range comes first."""

    NEWEST = "newest"
    OLDEST = "oldest"


class Kind(StrEnum):
    """How a filter compares its value with a log."""

    EQUALS = "Exact value."
    CONTAINS = "Contains this text, case-sensitive."
    AT_LEAST = "At least this number of bytes."


class Source(StrEnum):
    """Where DynamoDB, or the reader, looks for the value."""

    # A partition key: the filter chooses the index and its streams, and may have several values.
    KEY = "Uses an index; repeat it for several values."
    # A projected attribute: a filter expression of the query. DynamoDB charges for every item it reads.
    ATTRIBUTE = "Reads every log in the range."
    # The payload is in no index: each log is fetched.
    DOCUMENT = "Reads every log in the range and its payload."


# What the pages show instead of a value, and the value.
NO_ONE = {"no one": "0", "0 (no one)": "0"}
MISSING = {"—": ""}


def accent_forms(text: str) -> list[str]:
    """Return a text, and its forms NFC and NFD if they differ. Text in ASCII has one form."""
    return list(dict.fromkeys([text, normalize("NFC", text), normalize("NFD", text)]))


def _contains(attribute: Any, text: str) -> Condition:
    """Return the condition for a text with composed or decomposed accents."""
    if not text:
        return _is_missing(attribute)
    condition: Condition = reduce(operator.or_, map(attribute.contains, accent_forms(text)))
    return condition


def _equals(attribute: Any, value: str) -> Condition:
    """Return the condition for a value with composed or decomposed accents."""
    if not value:
        return _is_missing(attribute)
    condition: Condition = reduce(operator.or_, [attribute == form for form in accent_forms(value)])
    return condition


def _is_missing(attribute: Any) -> Condition:
    condition: Condition = attribute.does_not_exist() | (attribute == "")
    return condition


COMPARISONS: dict[Kind, Callable[[Any, Any], Condition]] = {
    Kind.EQUALS: _equals,
    Kind.CONTAINS: _contains,
    Kind.AT_LEAST: operator.ge,
}


@dataclass(frozen=True)
class Filter:
    """One filter: its label on the page, its words, and how it is compared.

    `phrase` is its part of the sentence, with `{}` for the value. `attribute` is the name in LogItem.
    """

    name: str
    label: str
    phrase: str
    kind: Kind
    source: Source
    attribute: str
    help_text: str
    note: str
    words: Mapping[str, str]

    @property
    def description(self) -> str:
        """Return how the filter matches and what it costs."""
        return " ".join(filter(None, [self.kind, self.source, self.note]))

    def condition(self, value: Any) -> Condition:
        """Return the DynamoDB condition that an item fulfils if it matches the value."""
        condition: Condition = COMPARISONS[self.kind](getattr(LogItem, self.attribute), value)
        return condition

    def display(self, value: Any) -> str:
        """Return the value as the sentence shows it."""
        if value == "":
            return next(iter(self.words), "")
        match self.kind:
            case Kind.CONTAINS:
                return f"“{value}”"
            case Kind.AT_LEAST:
                return f"{value:,} bytes"
            case Kind.EQUALS:
                return str(value)


def _filter(
    label: str,
    phrase: str,
    kind: Kind = Kind.EQUALS,
    source: Source = Source.ATTRIBUTE,
    *,
    attribute: str = "",
    help_text: str = "",
    note: str = "",
    words: Mapping[str, str] | None = None,
) -> Any:
    """Return a dataclass field that declares a filter; it is named by `filters()`."""
    declaration = Filter("", label, phrase, kind, source, attribute, help_text, note, words or {})
    return field(default=() if source is Source.KEY else None, metadata={"filter": declaration})


SEVERAL = r"Exact value. Commas separate several. Write \, for a comma within a value."
CASE = "Case-sensitive."


@dataclass(frozen=True)
class LogFilter:
    """The filters of a listing, its time range and its order.

    `start` ≤ time < `end`, both in UTC. The order of the fields is the order in addresses, the form and
    the API. Adding a filter means adding a line here; its attribute must be in `models.PROJECTED`.
    """

    account_id: tuple[str, ...] = _filter(
        "Account", "account {}", source=Source.KEY, help_text=SEVERAL, words=NO_ONE
    )
    type: tuple[str, ...] = _filter("Type", "type {}", source=Source.KEY, help_text=SEVERAL)
    sub_type: str | None = _filter("Subtype", "subtype {}", words=MISSING)
    user_id: str | None = _filter("User", "user {}", words=NO_ONE)
    submitter_country: str | None = _filter("Country", "country {}", words=MISSING)
    submitter_platform: str | None = _filter("Platform", "platform {}", words=MISSING)
    submitter_browser: str | None = _filter("Browser", "browser {}", words=MISSING)
    url: str | None = _filter("URL contains", "a URL with {}", Kind.CONTAINS, help_text=CASE, words=MISSING)
    payload_size_min: int | None = _filter(
        "Payload of at least (bytes)", "a payload of at least {}", Kind.AT_LEAST, attribute="payload_size"
    )
    q: str | None = _filter(
        "Search in URL and payload, or an ID",
        "{} in URL or payload",
        Kind.CONTAINS,
        Source.DOCUMENT,
        help_text=CASE,
        note="The ID of a log returns that log alone.",
    )
    start: datetime | None = None
    end: datetime | None = None
    order: Order = Order.NEWEST

    @property
    def fingerprint(self) -> str:
        """Return 16 hex digits that identify this filter; a cursor is bound to them."""
        values = asdict(self)
        for name in KEYS:
            values[name] = sorted(values[name])
        text = json.dumps(values, default=times.to_text, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def post_filters(self) -> dict[str, str | int]:
        """Return the values that DynamoDB compares with each item it reads, by filter."""
        values = {name: getattr(self, name) for name in FILTERS if FILTERS[name].source is Source.ATTRIBUTE}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def condition(self) -> Condition | None:
        """Return the filter expression of the queries, or None if there are no post-filters.

        An item that it drops costs as many read units as one that it keeps.
        """
        conditions = [FILTERS[name].condition(value) for name, value in self.post_filters.items()]
        return reduce(operator.and_, conditions) if conditions else None

    @property
    def search_text(self) -> str | None:
        """Return the text to find in URL or payload, or None. No index projects the payload."""
        return self.q

    @property
    def needs_no_post_filter(self) -> bool:
        """Return whether the index query alone answers the filter."""
        return self.search_text is None and not self.post_filters

    @property
    def narrows_the_range(self) -> bool:
        """Return whether a key or a closed time range limits the reads."""
        return any(getattr(self, name) for name in KEYS) or bool(self.start and self.end)


def _declarations() -> Iterator[Filter]:
    for each in fields(LogFilter):
        if declaration := each.metadata.get("filter"):
            yield replace(declaration, name=each.name, attribute=declaration.attribute or each.name)


FILTERS: dict[str, Filter] = {each.name: each for each in _declarations()}
# The filters with an index. Their values are tuples.
KEYS = tuple(name for name, each in FILTERS.items() if each.source is Source.KEY)
