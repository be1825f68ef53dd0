"""The delivery of a batch, with retries until SQS accepts or refuses each log."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ingest.sending.batches import send_batch
from ingest.sending.counts import Counts
from ingest.sending.outgoing import OutgoingLog
from ingest.sending.rate_limit import RateLimitedLogger, SendWarning
from ingest.sending.spool_file import REJECTED_SUFFIX, SpoolFile

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient


class Delivery:
    """Sends batches to a queue, and counts their logs. `make_client` is called before the first one.

    `keep` receives the logs that are still unsent after each attempt. `wait` waits some seconds, and returns
    False if the sending must stop. `problem` is why SQS did not accept the last batch, or empty.
    """

    def __init__(
        self,
        queue_url: str,
        make_client: Callable[[], "SQSClient"],
        counts: Counts,
        warnings: RateLimitedLogger,
        keep: Callable[[list[OutgoingLog]], None],
        wait: Callable[[float], bool],
    ) -> None:
        self._queue_url = queue_url
        self._make_client = make_client
        self._client: SQSClient | None = None
        self._counts = counts
        self._warnings = warnings
        self._keep = keep
        self._wait = wait
        self.problem = ""

    def send(self, batch: list[OutgoingLog], delays: Iterator[float], file: SpoolFile | None = None) -> bool:
        """Send a batch from the buffer or the spool, with retries. Return False if it must stop before.

        Logs that SQS refuses are counted, because a retry cannot help. Those of a spool `file` are set aside,
        the others are lost. Raise OSError if they cannot be set aside.
        """
        while batch:
            self._client = self._client or self._make_client()
            result = send_batch(self._client, self._queue_url, batch)
            self._counts.sent += len(batch) - len(result.unsent)
            if result.refused:
                fate = "which are lost"
                if file:
                    file.reject(log.body for log in result.refused)
                    fate = f"which were moved to {file.path}{REJECTED_SUFFIX}"
                self._counts.refused += len(result.refused)
                text = f"SQS refused {len(result.refused)} logs, {fate}: {result.reason}"
                self._warnings.log(SendWarning("refused", text))
            batch = result.retryable
            self._keep(batch)
            self.problem = result.problem if batch else ""
            if batch:
                self._warnings.log(
                    SendWarning(result.problem, f"{result.problem}, retrying: {result.reason}")
                )
                if not self._wait(next(delays)):
                    return False
        return True
