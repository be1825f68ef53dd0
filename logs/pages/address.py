"""The addresses of the listing: every link to it comes from here."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import Any

from logs import cursor, zones
from logs.fields import ON
from logs.filters import LogFilter
from logs.form_fields import ALL, DEFAULT_LIMIT
from logs.forms import Parameters, parameters
from logs.pages.links import query_string
from logs.plan import Around, Position, QueryPlan
from logs.range_text import write_range
from logs.time_range import TimeRange


@dataclass(frozen=True)
class Address:
    """The address of a page of the listing, and those of other pages.

    - `time_range` is set if the range was read from a text.
    - `default_limit` is the page size of an address without one.
    - `kept` are parameters that each address keeps: those of a saved view.
    - `needs_all` is whether an address without parameters would open a saved view. Such an address then says
      that it is the one of all logs.
    """

    plan: QueryPlan
    limit: int
    zone: tzinfo = UTC
    time_range: TimeRange | None = None
    default_limit: int = DEFAULT_LIMIT
    kept: Mapping[str, str] = field(default_factory=dict)
    needs_all: bool = False

    @property
    def filter(self) -> LogFilter:
        """Return the filter of the page."""
        return self.plan.filter

    def url(
        self,
        log_filter: LogFilter | None = None,
        *,
        start: Position | Around | None = None,
        limit: int | None = None,
        path: str = "",
        **parameters: str,
    ) -> str:
        """Return an address of the listing with another filter, start or page size.

        A relative range such as `-2h` stays relative on a first page. A cursor is bound to its filter, so
        the links to other pages have absolute times, and so have those with a path.
        """
        log_filter = log_filter or self.filter
        if isinstance(start, Around):
            parameters["around"] = start.log_id
        elif start:
            parameters["cursor"] = cursor.encode(start, self.plan)
        if not (start or path) and (text := self._relative_range(log_filter)):
            parameters["range"] = text
            log_filter = replace(log_filter, start=None, end=None)
        return f"{path}?{self._query(log_filter, limit or self.limit, **parameters)}"

    def narrow(self, **changes: Any) -> str:
        """Return an address of the listing with other values of some filters."""
        return self.url(replace(self.filter, **changes))

    @property
    def absolute(self) -> str:
        """Return the address of the first page with absolute times."""
        return f"?{self._query(self.filter, self.limit)}"

    @property
    def overview(self) -> str:
        """Return the address of the overview in the time zone."""
        query = query_string(LogFilter(), zone=self.zone)
        return f"overview/?{query}" if query else "overview/"

    @property
    def for_others(self) -> "Address":
        """Return the same page for readers with other saved views."""
        return replace(self, kept={}, needs_all=True)

    @property
    def range_text(self) -> str:
        """Return the time range as text.

        A relative one is as it was typed, another one is written in the time zone.
        """
        text = self._relative_range(self.filter)
        return text or write_range(self.filter.start, self.filter.end, self.zone)

    @property
    def field_values(self) -> Parameters:
        """Return the values of the form's fields, by parameter."""
        bare = replace(self.filter, start=None, end=None)
        zone = {} if self.zone is UTC else {"tz": zones.name(self.zone)}
        values = parameters(bare, self.limit, self.default_limit)
        shown = {**self.kept, **({ALL: ON} if self.needs_all and not self.kept else {})}
        return {**values, **zone, **shown, "range": self.range_text}

    def _relative_range(self, log_filter: LogFilter) -> str | None:
        """Return the text of a relative range if a filter has this range, or None."""
        each = self.time_range
        if each and each.is_relative and (log_filter.start, log_filter.end) == (each.start, each.end):
            return each.text
        return None

    def _query(self, log_filter: LogFilter, limit: int, **parameters: str) -> str:
        query = query_string(
            log_filter, limit, zone=self.zone, default_limit=self.default_limit, **self.kept, **parameters
        )
        return query or (f"{ALL}={ON}" if self.needs_all else "")
