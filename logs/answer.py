"""From a filter that was asked for to the page that answers it, wherever that page begins."""

from dataclasses import dataclass

from logs import conf, cursor, reader
from logs.forms import FilterForm
from logs.plan import Direction, Position, QueryPlan, begin_at
from logs.reader import Page


class Gone(Exception):
    """The log that the page should be around does not exist (any more)."""


@dataclass(frozen=True)
class Answer:
    """A page of a plan, where it was read from, and the log that it is around, if any."""

    plan: QueryPlan
    page: Page
    position: Position | None = None
    around: str | None = None


def read(form: FilterForm) -> Answer:
    """Return the page that a valid form asks for.

    Raises cursor.BadCursor, Gone, and reader.StoreUnavailable.
    """
    plan, limit, budget = form.plan, form.page_size(), conf.budget()
    if around := form.cleaned_data["around"]:
        item = reader.get(around)
        if item is None:
            raise Gone
        return Answer(plan, reader.read_around(plan, item, limit, budget), around=around)
    position: Position | None = None
    if at := form.cleaned_data["at"]:
        position = begin_at(at)
    elif text := form.cleaned_data["cursor"]:
        position = cursor.decode(text, plan)
    page = reader.read_page(plan, position, limit, budget)
    if page.complete and not page.items and position and position.direction is Direction.PREVIOUS:
        # What stood before is gone, so this is where the order begins.
        return first(form)
    return Answer(plan, page, position)


def first(form: FilterForm) -> Answer:
    """Return the first page of a valid form's filter. Raises reader.StoreUnavailable."""
    return Answer(form.plan, reader.read_page(form.plan, None, form.page_size(), conf.budget()))
