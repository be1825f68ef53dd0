"""The memory of messages that are parsed at the same time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ingest import messages
from ingest.writing.retry import Deadline, OutOfTime
from logs.models import LogItem
from logs.storage import documents

# A function of Lambda has 512 MiB, of which the writer's libraries take about 80. `docs/limits.md` has the
# measured peaks.
BUDGET_BYTES = 128 * 1024 * 1024
# The peak of parsing a message and packing its item, for each byte of its JSON: at most MAX_NODES values, and
# copies of the text with up to four bytes for each character.
BYTES_PER_BYTE = 32
# zlib compresses to a 1,032nd at best: https://zlib.net/zlib_tech.html
MAX_RATIO = 1032
# A waiting thread checks its deadline this often.
TICK_SECONDS = 0.1


def weight(body: str) -> int:
    """Return an upper bound of the bytes for parsing a message."""
    size = messages.MAX_INFLATED_BYTES if messages.may_be_compressed(body) else len(body)
    return size * BYTES_PER_BYTE


def is_large(body: str) -> bool:
    """Return whether a message may take the whole budget."""
    return weight(body) >= BUDGET_BYTES


def document_weight(item: LogItem) -> int:
    """Return an upper bound of the bytes for reading an item's document."""
    packed = len(item.document) if item.document else 0
    return min(packed * MAX_RATIO, documents.MAX_DOCUMENT_BYTES) * BYTES_PER_BYTE


class MemoryBudget:
    """Bytes that the threads of one process share."""

    def __init__(self, maximum: int = BUDGET_BYTES) -> None:
        self._maximum = maximum
        self._free = maximum
        self._changed = threading.Condition()

    @contextmanager
    def reserve(self, size: int, deadline: Deadline) -> Iterator[None]:
        """Wait until `size` bytes are free, and reserve them.

        A larger size reserves the whole budget, so the work is done alone. Do not nest reservations: two
        threads would wait for each other. Raise OutOfTime if the bytes are not free before the deadline.
        """
        size = min(size, self._maximum)
        # Work on the whole budget may take seconds: do not begin it without time to store its result.
        if size == self._maximum and not deadline.has_time():
            raise OutOfTime
        with self._changed:
            while self._free < size:
                if not deadline.has_time():
                    raise OutOfTime
                self._changed.wait(TICK_SECONDS)
            self._free -= size
        try:
            yield
        finally:
            with self._changed:
                self._free += size
                self._changed.notify_all()


BUDGET = MemoryBudget()
