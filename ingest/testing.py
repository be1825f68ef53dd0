"""For the tests of a main application: a client that sends nothing, and remembers."""

from collections.abc import Iterable
from typing import Any

from ingest.client import LogClient
from ingest.sending.batches import Log
from ingest.sending.sender import Counts


class RecordingClient(LogClient):
    """A LogClient that keeps what it is given in `logs`: dictionaries of fields, as they would be sent.

    It is strict unless told otherwise, so that a test fails where a log would be a dead letter.
    """

    def __init__(self, *, strict: bool = True) -> None:
        super().__init__("http://recording.invalid/", sync=True, strict=strict)
        self.logs: list[dict[str, Any]] = []

    @property
    def counts(self) -> Counts:
        """Return how many logs were kept, as sent."""
        return Counts(sent=len(self.logs))

    def _send(self, logs: Iterable[Log]) -> int:
        taken = [log.fields for log in logs]
        self.logs += taken
        return len(taken)
