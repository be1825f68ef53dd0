"""A client for a main application's tests: it records logs and sends nothing."""

from collections.abc import Iterable
from typing import Any

from ingest.client import LogClient
from ingest.sending.counts import Counts
from ingest.sending.outgoing import OutgoingLog


class RecordingClient(LogClient):
    """A LogClient that records its logs and sends nothing.

    `logs` holds a dictionary of the fields of each log, as they would be sent. The client is strict by
    default, so that a test fails if a log would become a dead letter.
    """

    def __init__(self, *, strict: bool = True) -> None:
        super().__init__("http://sqs.us-east-1.recording.invalid/000000000000/logs", sync=True, strict=strict)
        self.logs: list[dict[str, Any]] = []

    @property
    def counts(self) -> Counts:
        """Return the number of recorded logs, as sent."""
        return Counts(sent=len(self.logs))

    def _send(self, logs: Iterable[OutgoingLog]) -> int:
        recorded = [log.fields for log in logs]
        self.logs += recorded
        return len(recorded)
