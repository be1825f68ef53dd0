"""The merge of a plan's streams. Each stream is queried only as far as the page needs it."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from logs.models import LogItem
from logs.plan import Key, Position, QueryPlan
from logs.reading.stream import StreamReader, first_page_size

if TYPE_CHECKING:
    from logs.reading.page import PageRead


class Merge:
    """The logs of a plan from a position on, in reading order.

    The iteration ends when every stream is exhausted or the budget is spent.
    """

    def __init__(
        self, read: "PageRead", position: Position | None, limit: int, plan: QueryPlan | None = None
    ) -> None:
        """Read the plan of the page, or of a part of its range."""
        plan = plan or read.plan
        ascends = plan.ascends(position)
        spans = [(stream, plan.span(stream, position)) for stream in plan.streams]
        readable = [(stream, span) for stream, span in spans if span]
        page_size = first_page_size(limit, len(readable), is_filtered=not plan.needs_no_post_filter)
        self._read = read
        self._first = min if ascends else max
        self.streams = [
            StreamReader(plan, stream, span, page_size, ascends=ascends) for stream, span in readable
        ]

    @property
    def is_exhausted(self) -> bool:
        """Return whether every log was yielded."""
        return not self._open()

    @property
    def is_started(self) -> bool:
        """Return whether the streams were queried."""
        return all(stream.is_started for stream in self.streams)

    @property
    def cut(self) -> Key | None:
        """Return the last examined key of the least advanced stream. It is None at the end of the order.

        No log beyond this key was yielded.
        """
        streams = self._open()
        return self._least_advanced(streams).last if streams else None

    def __iter__(self) -> Iterator[LogItem]:
        # The first query of every stream ignores the budget: without it the cut could not advance.
        query_all(self._read, [self])
        while streams := self._open():
            stream = self._least_advanced(streams)
            if not stream.items:
                if self._read.is_spent:
                    return
                _query(self._read, [stream])
            elif len(streams) == 1:
                # Most plans have one stream, whose logs need no comparison.
                while stream.items:
                    yield stream.items.popleft()
            else:
                yield stream.items.popleft()

    def first_items(self) -> Iterator[LogItem]:
        """Yield the logs of the first query of each stream.

        They end where their order is not certain.
        """
        query_all(self._read, [self])
        while streams := self._open():
            stream = self._least_advanced(streams)
            if not stream.items:
                return
            yield stream.items.popleft()

    def _open(self) -> list[StreamReader]:
        return [stream for stream in self.streams if stream.is_open]

    def _least_advanced(self, streams: list[StreamReader]) -> StreamReader:
        return self._first(streams, key=lambda stream: stream.progress)


def query_all(read: "PageRead", merges: list[Merge]) -> None:
    """Send the first query of each stream, unless it was sent before.

    All are sent at once.
    """
    _query(read, [stream for merge in merges for stream in merge.streams if not stream.is_started])


def _query(read: "PageRead", streams: list[StreamReader]) -> None:
    if not streams:
        return
    limit = max(1, read.examinable // len(streams))
    responses = read.request([partial(stream.query, limit) for stream in streams])
    for stream, response in zip(streams, responses, strict=True):
        read.cost.examined += response["ScannedCount"]
        stream.add(response)
