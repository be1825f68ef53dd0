"""All filters in one table: a field of LogFilter is a filter."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from operator import attrgetter
from typing import Any

from pynamodb.expressions.condition import Condition

from logs import conditions, request_ids, times
from logs.conditions import Kind
from logs.json_path import PathFilter
from logs.models import LogItem


class Order(StrEnum):
    """Which end of the time range comes first."""

    NEWEST = "newest"
    OLDEST = "oldest"


class Source(StrEnum):
    """Where DynamoDB, or the reader, looks for the value."""

    # A partition key: the filter chooses the index and its streams, unless another filter is narrower.
    KEY = "Uses an index."
    # A projected attribute: a filter expression of the query. DynamoDB charges for every item it reads.
    ATTRIBUTE = "Reads every log in the range."
    # Such an attribute, but signatures exclude most logs, if there are digests.
    SIGNATURE = "Uses digests. Without them, reads every log in the range."
    # The payload is in no index: logs are fetched whole.
    DOCUMENT = "Uses digests. Without them, reads every log in the range and its payload."


# What the pages show instead of a value, and the value.
NO_ONE = {"no one": "0", "0 (no one)": "0"}
MISSING = {"—": ""}
# The names of the filters that exclude values begin with this; their parameters begin with `-`.
EXCLUDED = "not_"


@dataclass(frozen=True)
class Filter:
    """One filter: its label on the page, its words, and how it is compared.

    `phrase` is its part of the sentence, with `{}` for the value. `attribute` is the path in LogItem.
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
    def parameter(self) -> str:
        """Return its name in addresses and in the API: `-type` for `not_type`."""
        return f"-{self.included}" if self.kind is Kind.EXCLUDES else self.name

    @property
    def included(self) -> str:
        """Return the name of the filter whose values it excludes, or its own."""
        return self.name.removeprefix(EXCLUDED)

    @property
    def description(self) -> str:
        """Return how the filter matches and what it costs."""
        return " ".join(filter(None, [self.kind, self.source, self.note]))

    def condition(self, value: Any) -> Condition:
        """Return the DynamoDB condition that an item fulfils if it matches the value."""
        return conditions.condition(self.kind, attrgetter(self.attribute)(LogItem), value)

    def matches(self, item: LogItem, value: Any) -> bool:
        """Return whether an item fulfils the condition: what DynamoDB compares, in Python."""
        content = getattr(item, self.attribute.removeprefix("context."))
        return conditions.matches(self.kind, content, value)

    def signature_texts(self, value: str) -> tuple[str, ...]:
        """Return the folded texts to find in the folded text of a matching log.

        One of them is in it. The text is empty if nothing is known: for an empty value, and for filters of
        another kind than CONTAINS.
        """
        return conditions.folded_texts(value) if self.kind is Kind.CONTAINS else ("",)

    def display(self, value: Any) -> str:
        """Return the value, or one of several values, as the sentence shows it."""
        if value == "":
            return next(iter(self.words), "")
        match self.kind:
            case Kind.CONTAINS | Kind.SEARCH:
                return f"“{value}”"
            case Kind.AT_LEAST:
                return f"{value:,} bytes"
            case _:
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
    if kind.is_multiple:
        help_text = f"{help_text} {SEVERAL}".strip()
    declaration = Filter("", label, phrase, kind, source, attribute, help_text, note, words or {})
    return field(default=() if kind.is_multiple else None, metadata={"filter": declaration})


def _excluded(label: str, plural: str, words: Mapping[str, str] = MISSING) -> Any:
    """Return the declaration of a filter that excludes values."""
    return _filter(f"Exclude {label}", f"{plural} other than {{}}", Kind.EXCLUDES, words=words)


SEVERAL = r"Commas separate several values; \, is a comma."
CASE = "Case-sensitive."
OBJECT_HELP = "Type and id, such as invoice:4711."


@dataclass(frozen=True)
class LogFilter:
    """The filters of a listing, its time range and its order.

    `start` ≤ time < `end`, both in UTC. The order of the fields is the order in addresses, the form and
    the API. Adding a filter means adding a line here; its attribute must be in `models.PROJECTED` or
    `models.CONTEXT_FIELDS`. `match_case` is whether the letter case of `q` counts.
    `paths` are filters on values within JSON.
    """

    account_id: tuple[str, ...] = _filter("Account", "account {}", source=Source.KEY, words=NO_ONE)
    type: tuple[str, ...] = _filter("Type", "type {}", source=Source.KEY)
    sub_type: tuple[str, ...] = _filter("Subtype", "subtype {}", source=Source.SIGNATURE, words=MISSING)
    user_id: tuple[str, ...] = _filter(
        "User", "user {}", source=Source.KEY, note="0 is no one, and uses no index.", words=NO_ONE
    )
    user_name: str | None = _filter(
        "User name contains",
        "a user name with {}",
        Kind.CONTAINS,
        Source.SIGNATURE,
        attribute="context.user_name",
        help_text=CASE,
        words=MISSING,
    )
    object: tuple[str, ...] = _filter(
        "Object",
        "object {}",
        source=Source.KEY,
        attribute="object_key",
        help_text=OBJECT_HELP,
        note=OBJECT_HELP,
    )
    request_id: tuple[str, ...] = _filter(
        "Request ID", "request {}", source=Source.SIGNATURE, attribute="context.request_id", words=MISSING
    )
    trace_id: tuple[str, ...] = _filter(
        "Trace ID", "trace {}", source=Source.SIGNATURE, attribute="context.trace_id", words=MISSING
    )
    submitter_ip: tuple[str, ...] = _filter(
        "IP address",
        "IP address {}",
        source=Source.SIGNATURE,
        attribute="context.submitter_ip",
        words=MISSING,
    )
    submitter_country: tuple[str, ...] = _filter(
        "Country", "country {}", source=Source.SIGNATURE, words=MISSING
    )
    submitter_city: tuple[str, ...] = _filter("City", "city {}", words=MISSING)
    submitter_platform: tuple[str, ...] = _filter(
        "Platform", "platform {}", source=Source.SIGNATURE, words=MISSING
    )
    submitter_browser: tuple[str, ...] = _filter(
        "Browser", "browser {}", source=Source.SIGNATURE, words=MISSING
    )
    url: str | None = _filter(
        "URL contains", "a URL with {}", Kind.CONTAINS, Source.SIGNATURE, help_text=CASE, words=MISSING
    )
    payload_size_min: int | None = _filter(
        "Payload of at least (bytes)", "a payload of at least {}", Kind.AT_LEAST, attribute="payload_size"
    )
    not_account_id: tuple[str, ...] = _excluded("account", "accounts", NO_ONE)
    not_type: tuple[str, ...] = _excluded("type", "types", {})
    not_sub_type: tuple[str, ...] = _excluded("subtype", "subtypes")
    not_user_id: tuple[str, ...] = _excluded("user", "users", NO_ONE)
    not_submitter_country: tuple[str, ...] = _excluded("country", "countries")
    not_submitter_platform: tuple[str, ...] = _excluded("platform", "platforms")
    not_submitter_browser: tuple[str, ...] = _excluded("browser", "browsers")
    q: str | None = _filter(
        "Search text, or an ID",
        "{} in any text",
        Kind.SEARCH,
        Source.DOCUMENT,
        help_text="In URL, payload, summary, names and extra fields.",
        note="The ID of a log returns that log alone, another ID the logs of this request or trace.",
    )
    match_case: bool = False
    paths: tuple[PathFilter, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    order: Order = Order.NEWEST

    @cached_property
    def values(self) -> Mapping[str, Any]:
        """Return the values of the filters that are used, by name."""
        values = {name: getattr(self, name) for name in FILTERS}
        return {name: value for name, value in values.items() if value not in (None, ())}

    @cached_property
    def fingerprint(self) -> str:
        """Return 16 hex digits that identify this filter; a cursor is bound to them."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return hashlib.sha256(_canonical(values).encode()).hexdigest()[:16]

    @property
    def search_text(self) -> str | None:
        """Return the text to find in any text of a log, or None. No index projects the payload.

        A text with the shape of an id is none: it is one of `request_ids`.
        """
        return None if request_ids.log_id(self.q) else self.q

    @property
    def request_ids(self) -> tuple[str, ...]:
        """Return the spellings of an id in `q`. Logs match whose request or trace ID is one of them."""
        return request_ids.spellings(self.q) if self.q and request_ids.log_id(self.q) else ()

    @property
    def needs_documents(self) -> bool:
        """Return whether logs must be fetched whole to compare them."""
        return self.search_text is not None or bool(self.paths)


def _canonical(value: Any) -> str:
    """Return a value as text. The order of several values does not count."""
    if isinstance(value, dict):
        return json.dumps({name: _canonical(member) for name, member in value.items()}, sort_keys=True)
    if isinstance(value, tuple):
        return _encode(sorted(map(_canonical, value)))
    if isinstance(value, PathFilter):
        return _canonical(asdict(value))
    return _encode(value)


# `json.dumps` would make an encoder for each value.
_encode = json.JSONEncoder(default=times.to_text).encode


def _declarations() -> Iterator[Filter]:
    for each in fields(LogFilter):
        if declaration := each.metadata.get("filter"):
            attribute = declaration.attribute or each.name.removeprefix(EXCLUDED)
            yield replace(declaration, name=each.name, attribute=attribute)


FILTERS: dict[str, Filter] = {each.name: each for each in _declarations()}
# The filters with an index.
KEYS = tuple(name for name, each in FILTERS.items() if each.source is Source.KEY)
