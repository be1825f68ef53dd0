"""A page that another thread reads while its caller does other work."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cached_property, partial

from logs.models import TableMeta
from logs.plan import PageQuery, Position, QueryPlan
from logs.reading.budget import Budget
from logs.reading.page import MAX_SECONDS, Page, PageRead
from logs.storage import deadline, dynamodb
from logs.storage.errors import store_unavailable

# As many as the connections of PynamoDB. Several streams of a page use the reader's own threads.
THREADS = TableMeta.max_pool_connections
_POOL = ThreadPoolExecutor(THREADS, thread_name_prefix="logs-pages")
# A request is sent within a millisecond, unless all threads of the pool are busy.
MAX_SEND_SECONDS = 0.1


class PendingPage:
    """A page, once it is read, and the query that it answers."""

    def __init__(self, query: PageQuery, position: Position | None, budget: Budget) -> None:
        """Start to read. Wait up to MAX_SEND_SECONDS until the first request is sent.

        Only one thread of a process runs Python at a time, so the caller's work would delay the request by
        milliseconds.
        """
        self.query = query
        send_event = threading.Event()
        # The thread gets the deadline from a copy of the context.
        context = copy_context()
        context.run(dynamodb.call_before_send, send_event.set)
        self._future = _POOL.submit(context.run, partial(_read, query, position, budget))
        self._future.add_done_callback(lambda _: send_event.set())
        send_event.wait(MAX_SEND_SECONDS)

    @property
    def plan(self) -> QueryPlan:
        """Return the plan of the query."""
        return self.query.plan

    @cached_property
    def page(self) -> Page:
        """Return the page, once it is read. Raises StoreUnavailable."""
        with store_unavailable():
            try:
                return self._future.result(max(0.0, MAX_SECONDS - deadline.elapsed()))
            except TimeoutError:
                self._future.cancel()
                raise


def _read(query: PageQuery, position: Position | None, budget: Budget) -> Page:
    return PageRead(query.plan, budget, inline=True).page(position, query.limit)
