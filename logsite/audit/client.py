"""The client of the audit trail. Importing it loads pydantic, which takes a third of a second."""

from typing import TYPE_CHECKING

from ingest.client import LogClient

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient


class AuditClient(LogClient):
    """A client that sends in the background.

    `prepare` creates the SQS client at once, for a process that never forks. Otherwise the thread creates it
    for the first log, which takes about as long as a response waits for its logs.
    """

    def __init__(self, queue_url: str, *, prepare: bool) -> None:
        super().__init__(queue_url, strict=False)
        self._prepared = super()._make_client() if prepare else None

    def _make_client(self) -> "SQSClient":
        return self._prepared or super()._make_client()
