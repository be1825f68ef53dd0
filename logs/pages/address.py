"""The addresses of the listing: every link to it comes from here."""

from dataclasses import dataclass, replace
from typing import Any

from logs import cursor
from logs.filters import LogFilter
from logs.pages.links import query_string
from logs.plan import Around, Position, QueryPlan


@dataclass(frozen=True)
class Address:
    """The address of a page of the listing, and those of other pages."""

    plan: QueryPlan
    limit: int

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
        """Return an address of the listing with another filter, start or page size."""
        if isinstance(start, Around):
            parameters["around"] = start.log_id
        elif start:
            parameters["cursor"] = cursor.encode(start, self.plan)
        return f"{path}?{query_string(log_filter or self.filter, limit or self.limit, **parameters)}"

    def narrow(self, **changes: Any) -> str:
        """Return an address of the listing with other values of some filters."""
        return self.url(replace(self.filter, **changes))
