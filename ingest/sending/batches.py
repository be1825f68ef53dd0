"""Logs in batches to the queue: what SQS cannot take just now is sent again, what it refuses is told."""

import json
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from ingest import messages
from ingest.wire import sqs

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

# How often entries that SQS could not take just now are sent, and the longest pause between, in seconds.
ATTEMPTS = 5
FIRST_PAUSE, MAX_PAUSE = 0.1, 2.0


@dataclass(frozen=True)
class Log:
    """A log ready to go: its id, as far as it is known, and the message's body, in ASCII."""

    id: str
    body: str

    @property
    def fields(self) -> dict[str, Any]:
        """Return what the body says."""
        fields: dict[str, Any] = json.loads(messages.decompress(self.body))
        return fields


L = TypeVar("L", bound=Log)


@dataclass(frozen=True)
class Unsent(Generic[L]):
    """The logs of a batch that SQS did not take, and why; `is_down` where it took nothing at all.

    Those `refused` it will never take, those `waiting` it may.
    """

    refused: list[L]
    waiting: list[L]
    reason: str = ""
    is_down: bool = False

    @property
    def logs(self) -> list[L]:
        """Return both."""
        return [*self.refused, *self.waiting]


def batches(logs: Iterable[L]) -> Iterator[list[L]]:
    """Group logs, in their order and as they come, into what one SendMessageBatch takes.

    Where `logs` raises, what it gave before is still given out, and then its error passes through.
    """
    batch: list[L] = []
    size = 0
    try:
        for log in logs:
            if batch and (len(batch) == sqs.MAX_BATCH or size + len(log.body) > sqs.MAX_BYTES):
                yield batch
                batch, size = [], 0
            batch.append(log)
            size += len(log.body)
    except Exception:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def send(client: "SQSClient", queue_url: str, batch: Sequence[L]) -> Unsent[L]:
    """Send one batch; return what did not go. The network's failures are tried again by botocore itself."""
    waiting = {str(number): log for number, log in enumerate(batch)}
    refused: list[L] = []
    reason = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            _pause(attempt)
        try:
            answer = client.send_message_batch(
                QueueUrl=queue_url,
                Entries=[{"Id": number, "MessageBody": log.body} for number, log in waiting.items()],
            )
        except (BotoCoreError, ClientError) as error:
            return Unsent(refused, [*waiting.values()], str(error), is_down=True)
        # SQS answers 200 with a list of what failed; only what it says has gone has gone.
        for entry in answer.get("Successful", []):
            waiting.pop(entry["Id"], None)
        for failed in answer.get("Failed", []):
            reason = f"{failed['Code']}: {failed.get('Message', '')}"
            if failed["SenderFault"] and failed["Id"] in waiting:
                refused.append(waiting.pop(failed["Id"]))
        if not waiting:
            break
    return Unsent(refused, [*waiting.values()], reason, is_down=len(waiting) == len(batch))


def _pause(attempt: int) -> None:
    """Wait longer each time, and not all clients equally long."""
    time.sleep(min(MAX_PAUSE, FIRST_PAUSE * 2**attempt) * random.uniform(0.5, 1))  # noqa: S311  no secret
