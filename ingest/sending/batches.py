"""Send logs to SQS in batches, and retry the entries that failed."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

from botocore.exceptions import ClientError

from ingest.sending.outgoing import OutgoingLog
from ingest.wire import sqs
from ingest.wire.backoff import backoff
from ingest.wire.errors import AWS_ERRORS, error_code, explain, is_queue_missing

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

# SendMessageBatch is called at most this often per batch.
MAX_ATTEMPTS = 5
FIRST_DELAY_SECONDS, MAX_DELAY_SECONDS = 0.2, 2.0
# The errors with which SQS refuses a whole batch because of a message in it. Other errors, such as a missing
# permission, do not depend on the messages.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
CONTENT_ERRORS = {"BatchRequestTooLong", "InvalidMessageContents", "InvalidParameterValue"}
TOO_LARGE_STATUS = 413
MISSING = "the queue of logs does not exist"


L = TypeVar("L", bound=OutgoingLog)


@dataclass(frozen=True)
class SendResult(Generic[L]):
    """The logs of a batch that SQS did not accept, and the reason.

    - `refused`: the sender's fault, such as an invalid body; a retry cannot help.
    - `retryable`: a later retry may help.
    - `unreachable`: SQS accepted no log of the batch, or did not respond.
    - `missing`: the queue does not exist. The logs are retryable, because it may be created later.
    """

    refused: list[L]
    retryable: list[L]
    reason: str = ""
    unreachable: bool = False
    missing: bool = False

    @property
    def is_blocked(self) -> bool:
        """Return whether the next batch would fail too."""
        return self.unreachable or self.missing

    @property
    def problem(self) -> str:
        """Return why logs are retryable, without the details in `reason`."""
        return MISSING if self.missing else "SQS does not accept logs at the moment"

    @property
    def unsent(self) -> list[L]:
        """Return all logs that SQS did not accept: the refused and the retryable ones."""
        return [*self.refused, *self.retryable]


def split_batches(logs: Iterable[L]) -> Iterator[list[L]]:
    """Yield logs, in order, in batches within the limits of SendMessageBatch.

    `logs` is read lazily. If it raises, the logs before the error are yielded first.
    """
    batch: list[L] = []
    size = 0
    try:
        for log in logs:
            if batch and (len(batch) == sqs.MAX_BATCH or size + log.size > sqs.MAX_BYTES):
                yield batch
                batch, size = [], 0
            batch.append(log)
            size += log.size
    except Exception:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def send_batch(client: "SQSClient", queue_url: str, batch: Sequence[L]) -> SendResult[L]:
    """Send one batch, and return the logs that SQS did not accept.

    Costs one request, and up to MAX_ATTEMPTS if entries fail: those are retried with backoff. botocore itself
    retries network errors. Never raise AWS_ERRORS: the result holds the reason.
    """
    pending = {str(number): log for number, log in enumerate(batch)}
    refused: list[L] = []
    reason = ""
    delays = backoff(FIRST_DELAY_SECONDS, MAX_DELAY_SECONDS)
    for attempt in range(MAX_ATTEMPTS):
        if attempt:
            time.sleep(next(delays))
        try:
            response = client.send_message_batch(
                QueueUrl=queue_url,
                Entries=[log.entry(number) for number, log in pending.items()],
            )
        except AWS_ERRORS as error:
            if _is_content_error(error):
                return _isolate(client, queue_url, [*pending.values()], refused, str(error))
            is_missing = is_queue_missing(error)
            return SendResult(
                refused,
                [*pending.values()],
                explain(error, queue_url),
                unreachable=not is_missing,
                missing=is_missing,
            )
        # The status is 200 even if entries failed: only the entries listed as successful were accepted.
        for entry in response.get("Successful", []):
            pending.pop(entry["Id"], None)
        for failure in response.get("Failed", []):
            reason = f"{failure['Code']}: {failure.get('Message', '')}"
            if failure["SenderFault"] and failure["Id"] in pending:
                refused.append(pending.pop(failure["Id"]))
        if not pending:
            break
    return SendResult(refused, [*pending.values()], reason, unreachable=len(pending) == len(batch))


def _is_content_error(error: Exception) -> bool:
    """Return whether SQS refuses a whole batch because of a message in it."""
    if not isinstance(error, ClientError):
        return False
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return error_code(error) in CONTENT_ERRORS or status == TOO_LARGE_STATUS


def _isolate(
    client: "SQSClient", queue_url: str, batch: Sequence[L], refused: list[L], reason: str
) -> SendResult[L]:
    """Send the halves of a refused batch, so that only the message at fault is refused.

    Costs at most 18 requests more for a batch of ten, if SQS refuses every message.
    """
    if len(batch) == 1:
        return SendResult([*refused, *batch], [], reason)
    middle = len(batch) // 2
    first = send_batch(client, queue_url, batch[:middle])
    if first.is_blocked:
        return replace(
            first,
            refused=[*refused, *first.refused],
            retryable=[*first.retryable, *batch[middle:]],
        )
    second = send_batch(client, queue_url, batch[middle:])
    return replace(
        second,
        refused=[*refused, *first.refused, *second.refused],
        retryable=[*first.retryable, *second.retryable],
        reason=second.reason or first.reason,
    )
