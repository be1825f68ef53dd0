"""Walk the pages of a plan in both directions. Every position passes through the text of a cursor."""

from collections.abc import Iterable, Iterator

from logs import cursor
from logs.plan import Position, QueryPlan
from logs.reader import Page, read_page
from logs.reading.budget import Budget

AMPLE = Budget()
MAX_PAGES = 3000  # A walk that never ends fails instead of hanging.


def ids(page: Page) -> list[str]:
    """Return the ids of the logs on a page."""
    return [item.id for item in page.items]


def all_ids(pages: Iterable[Page]) -> list[str]:
    """Return the ids of the logs on all pages."""
    return [log_id for page in pages for log_id in ids(page)]


def step(plan: QueryPlan, position: Position | None, limit: int, budget: Budget) -> Page:
    """Read the page at a position that was encoded as a cursor and decoded again."""
    if position:
        position = cursor.decode(cursor.encode(position, plan), plan)
    return read_page(plan, position, limit, budget)


def iter_pages(
    plan: QueryPlan, limit: int, position: Position | None = None, budget: Budget = AMPLE
) -> Iterator[Page]:
    """Yield the pages from a position to the end. Each is read only when it is needed."""
    for _ in range(MAX_PAGES):
        page = step(plan, position, limit, budget)
        yield page
        if page.next is None:
            return
        position = page.next
    raise AssertionError(f"the walk did not end after {MAX_PAGES} pages")


def walk(plan: QueryPlan, limit: int, position: Position | None = None, budget: Budget = AMPLE) -> list[Page]:
    """Return the pages from a position to the end."""
    return list(iter_pages(plan, limit, position, budget))


def walk_back(plan: QueryPlan, limit: int, position: Position | None, budget: Budget = AMPLE) -> list[Page]:
    """Return the pages from a position back to the first one, in the order of the logs."""
    pages: list[Page] = []
    while position:
        assert len(pages) < MAX_PAGES, f"the walk did not end after {MAX_PAGES} pages"
        pages.append(step(plan, position, limit, budget))
        position = pages[-1].previous
    return pages[::-1]
