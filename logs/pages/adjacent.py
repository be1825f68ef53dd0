"""The previous and the next log of a list."""

from dataclasses import dataclass

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import QueryDict

from logs.models import LogItem
from logs.plan import Direction, Position, QueryPlan, key_of
from logs.reader import read_page
from logs.reading import path
from logs.reading.budget import Budget
from logs.reading.page import PageRead
from logs.storage.errors import store_unavailable

PAGE_PARAMETERS = ("cursor", "around", "at")


@dataclass(frozen=True)
class Adjacent:
    """The log beside another one. Without a log the list ends, if the read is complete."""

    item: LogItem | None
    is_complete: bool
    direction: Direction

    @property
    def text(self) -> str:
        """Return why there is no log."""
        if self.is_complete:
            return (
                f"This is the {'first' if self.direction is Direction.PREVIOUS else 'last'} log of the list."
            )
        return "No log was read within the limits of a page. Go to the list and continue there."


def list_parameters(query: str) -> QueryDict:
    """Return the parameters of a list without those that choose one of its pages.

    Raises BadRequest for too many parameters.
    """
    try:
        parameters = QueryDict(query, mutable=True)
    except SuspiciousOperation as error:
        raise BadRequest("The filter of the list has too many parameters.") from error
    for name in PAGE_PARAMETERS:
        parameters.pop(name, None)
    return parameters


def read_adjacent(plan: QueryPlan, item: LogItem, direction: Direction, budget: Budget) -> Adjacent:
    """Return the log before or after a log in the order of a plan. The log need not match the filter.

    Costs as a page of one row. Raises StoreUnavailable.
    """
    with store_unavailable():
        plan = path.choose(PageRead(plan, budget))
    page = read_page(plan, Position(direction, key_of(plan, item)), 1, budget)
    return Adjacent(page.items[0] if page.items else None, page.complete, direction)
