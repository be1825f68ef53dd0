"""The logs that wait in memory, bounded in number and in bytes."""

from collections import deque
from collections.abc import Iterable

from ingest.sending.batches import split_batches
from ingest.sending.outgoing import OutgoingLog
from ingest.wire import sqs


class Buffer:
    """A bounded queue of logs. A batch stays in flight until it is acknowledged.

    Not thread-safe: the owner holds a lock.
    """

    def __init__(self, max_logs: int, max_bytes: int) -> None:
        self._max_logs, self._max_bytes = max_logs, max_bytes
        self._logs: deque[OutgoingLog] = deque()
        self._bytes = 0
        self._in_flight: list[OutgoingLog] = []

    def __len__(self) -> int:
        """Return the number of logs, without those in flight."""
        return len(self._logs)

    def is_empty(self) -> bool:
        """Return whether no log is queued or in flight."""
        return not (self._logs or self._in_flight)

    def has_space(self, log: OutgoingLog) -> bool:
        """Return whether both limits leave space for a log."""
        return len(self._logs) < self._max_logs and self._bytes + len(log.body) <= self._max_bytes

    def has_batch(self) -> bool:
        """Return whether the queued logs fill a batch."""
        return len(self._logs) >= sqs.MAX_BATCH or self._bytes >= sqs.MAX_BYTES

    def append(self, log: OutgoingLog) -> None:
        """Queue a log."""
        self._logs.append(log)
        self._bytes += len(log.body)

    def next_batch(self) -> list[OutgoingLog]:
        """Return the next batch, which is then in flight. It is empty if the buffer is."""
        batch = next(split_batches(self._logs), [])
        for _ in batch:
            self._bytes -= len(self._logs.popleft().body)
        self._in_flight = batch
        return batch

    def acknowledge(self, unsent: Iterable[OutgoingLog] = ()) -> None:
        """Remove the batch in flight, except for its `unsent` logs."""
        # After `drain`, nothing is in flight and the unsent logs belong to the caller of `drain`.
        if self._in_flight:
            self._in_flight = [*unsent]

    def requeue(self) -> None:
        """Move the batch in flight back to the front of the queue."""
        self._logs.extendleft(reversed(self._in_flight))
        self._bytes += sum(len(log.body) for log in self._in_flight)
        self._in_flight = []

    def drain(self) -> list[OutgoingLog]:
        """Remove and return all logs, those in flight first."""
        logs = [*self._in_flight, *self._logs]
        self._logs.clear()
        self._bytes = 0
        self._in_flight = []
        return logs
