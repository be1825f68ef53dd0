"""The newest logs as a whole, which stand for all others."""

from logs.models import LogItem
from logs.plan import QueryPlan
from logs.reading.budget import Budget, Cost
from logs.reading.page import PageRead
from logs.reading.whole_logs import WholeLogs
from logs.storage.errors import store_unavailable

# The payloads of a sample before compression. More logs are not fetched.
MAX_PAYLOAD_BYTES = 4 * 1024 * 1024


def read_sample(plan: QueryPlan, limit: int, budget: Budget) -> tuple[list[LogItem], Cost]:
    """Return at most `limit` whole logs of a plan, and the cost.

    They are the first ones in its order.
    Large payloads make the sample smaller. Costs one Query per stream, and one BatchGetItem per 100 logs.
    Raises StoreUnavailable.
    """
    read = PageRead(plan, budget)
    ids: list[str] = []
    size = 0
    with store_unavailable():
        for row in read.page(None, limit).items:
            size += int(row.payload_size or 0)
            if ids and size > MAX_PAYLOAD_BYTES:
                break
            ids.append(row.id)
        items = list(WholeLogs(read).fetch(ids).values())
    read.cost.seconds = read.seconds
    return items, read.cost
