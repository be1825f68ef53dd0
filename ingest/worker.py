"""The writer without Lambda: polls the queue and calls the same `lambda_handler`.

Any number of workers may run side by side: SQS gives each message to one of them at a time, and a message
that two of them get is one log all the same.
"""

import argparse
import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from ingest.handler import lambda_handler, logger
from ingest.wire import attributes, sqs

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

# How long a stop waits for the answer of a poll: messages on their way here would else be hidden for the
# queue's visibility timeout.
GRACE_SECONDS = 0.5
TICK_SECONDS = 0.1
# As a Lambda function's timeout: well below any queue's visibility timeout.
INVOCATION_SECONDS = 15.0
FIRST_PAUSE, MAX_PAUSE = 1.0, 30.0
# A batch is gathered from answers of ten messages, and holds what Lambda hands to a function at most:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_GATHERED, MAX_GATHERED_BYTES = 1_000, 6_000_000


@dataclass(frozen=True)
class Context:
    """What Lambda tells a function of its invocation, as far as Powertools and we read it."""

    worker: "Worker"
    ends: float = field(default_factory=lambda: time.monotonic() + INVOCATION_SECONDS)
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_name: str = "ingest.worker"
    memory_limit_in_mb: int = 0
    invoked_function_arn: str = "arn:aws:lambda:local:000000000000:function:ingest-worker"

    def get_remaining_time_in_millis(self) -> int:
        """Return what is left of the batch's time: nothing once the worker is to stop."""
        return 0 if self.worker.is_stopping else max(0, int((self.ends - time.monotonic()) * 1000))


class Worker:
    """Polls one queue until it is told to stop."""

    def __init__(self, client: "SQSClient", queue_url: str, *, batch_size: int = 10, wait: int = 20) -> None:
        self.client = client
        self.queue_url = queue_url
        self.batch_size = batch_size
        self.wait = wait
        self.arn = queue_arn(queue_url, client.meta.region_name, client.meta.partition)
        self._stopping = False

    @property
    def is_stopping(self) -> bool:
        """Tell whether the worker was told to stop."""
        return self._stopping

    def stop(self, *_: object) -> None:
        """Stop after the batch in hand. A plain flag: a signal may come while any lock is held."""
        self._stopping = True

    def run(self) -> None:
        """Poll, handle, delete, until `stop` is called."""
        logger.info("worker started", queue_url=self.queue_url)
        pauses = _pauses()
        is_away = False
        while not self._stopping:
            try:
                batch = self._receive()
            except (BotoCoreError, ClientError) as error:
                if not is_away:
                    logger.error("SQS is away, trying again", error=type(error).__name__, reason=str(error))
                is_away = True
                self._sleep(next(pauses))
                continue
            if is_away:
                logger.info("SQS is back")
                is_away = False
                pauses = _pauses()
            if not batch:
                continue
            if self._handle(batch):
                pauses = _pauses()
            else:
                # The store is away: to read on would only hide the queue's messages and use up their tries.
                self._sleep(next(pauses))
        logger.info("worker stopped")

    def _receive(self) -> list[Mapping[str, Any]]:
        """Return the next messages, none after `wait` seconds or once the worker is to stop.

        Polled in a thread, so that a stop need not wait for a long poll's end.
        """
        poll = _Poll(self)
        poll.start()
        while poll.is_alive() and not self._stopping:
            poll.join(TICK_SECONDS)
        poll.join(GRACE_SECONDS)
        return poll.result()

    def _handle(self, batch: list[Mapping[str, Any]]) -> bool:
        """Handle a batch and delete what succeeded; return whether anything did."""
        event = {"Records": [record(message, self.arn) for message in batch]}
        answer = lambda_handler(event, Context(self))
        failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
        done = [message for message in batch if message["MessageId"] not in failed]
        if done:
            self._delete(done)
        return bool(done)

    def _delete(self, done: list[Mapping[str, Any]]) -> None:
        """Delete messages; one that stays comes again, and is found to be stored already."""
        for start in range(0, len(done), sqs.MAX_BATCH):
            self._delete_ten(done[start : start + sqs.MAX_BATCH])

    def _delete_ten(self, done: list[Mapping[str, Any]]) -> None:
        receipts = {str(number): message["ReceiptHandle"] for number, message in enumerate(done)}
        try:
            answer = self.client.delete_message_batch(
                QueueUrl=self.queue_url,
                Entries=[{"Id": number, "ReceiptHandle": receipt} for number, receipt in receipts.items()],
            )
        except (BotoCoreError, ClientError) as error:
            logger.warning("not deleted", messages=len(done), error=type(error).__name__, reason=str(error))
            return
        for failed in answer.get("Failed", []):
            message_id = done[int(failed["Id"])]["MessageId"]
            logger.warning("not deleted", message_id=message_id, error=failed["Code"])

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < end:
            time.sleep(TICK_SECONDS)


class _Poll(threading.Thread):
    """A batch's ReceiveMessages. A daemon: the process may end while it waits."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(daemon=True)
        self._worker = worker
        self._messages: list[Mapping[str, Any]] = []
        self._is_done = False
        self._error: BotoCoreError | ClientError | None = None

    def run(self) -> None:
        """Wait for the first messages, and take what else is there until the batch is full."""
        worker = self._worker
        size = 0
        try:
            while not worker.is_stopping and size < MAX_GATHERED_BYTES:
                asked = min(sqs.MAX_BATCH, worker.batch_size - len(self._messages))
                answer = worker.client.receive_message(
                    QueueUrl=worker.queue_url,
                    MaxNumberOfMessages=asked,
                    WaitTimeSeconds=0 if self._messages else worker.wait,
                    MessageSystemAttributeNames=["All"],
                    MessageAttributeNames=["All"],
                )
                found = answer.get("Messages", [])
                self._messages += found
                size += sum(len(message["Body"]) for message in found)
                if len(found) < asked or len(self._messages) == worker.batch_size:
                    break
            self._is_done = True
        except (BotoCoreError, ClientError) as error:
            self._error = error

    def result(self) -> list[Mapping[str, Any]]:
        """Return what came, which is nothing as long as the poll goes on; raise what it raised."""
        if self._error and not self._messages:
            raise self._error
        if not (self._is_done or self._error or self.is_alive()):
            raise RuntimeError("the thread that polls has ended without an answer")
        return [] if self.is_alive() else self._messages


def record(message: Mapping[str, Any], arn: str) -> dict[str, Any]:
    """Return a received message as a record of Lambda's SQS event.

    The shape: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html (camel case; binary as base64).
    """
    told = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message["Attributes"]),
        "messageAttributes": {
            name: attributes.to_lambda(value) for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": arn.split(":")[3],
    }
    if "MD5OfMessageAttributes" in message:
        told["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    return told


def queue_arn(queue_url: str, region: str, partition: str = "aws") -> str:
    """Return the ARN of the queue at `https://…/ACCOUNT/NAME`."""
    account, _, name = urlsplit(queue_url).path.strip("/").rpartition("/")
    return f"arn:{partition}:sqs:{region}:{account}:{name}"


def _pauses() -> Iterator[float]:
    """Give the seconds to wait after each failure in a row."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(MAX_PAUSE, pause * 2)


def main(arguments: list[str] | None = None) -> None:
    """Run a worker until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(
        prog="python -m ingest.worker",
        description="Take messages off the queue and store them, as the Lambda function does.",
    )
    parser.add_argument(
        "--queue-url", default=os.environ.get("LOGS_QUEUE_URL"), help="default: LOGS_QUEUE_URL"
    )
    parser.add_argument(
        "--batch-size",
        type=int,
        default=10,
        choices=range(1, MAX_GATHERED + 1),
        metavar=f"1-{MAX_GATHERED}",
        help="how many messages are written side by side, as far as they are there; default: 10",
    )
    parser.add_argument(
        "--wait",
        type=int,
        default=20,
        choices=range(1, 21),
        metavar="1-20",
        help="seconds that a poll waits for messages; default: 20",
    )
    options = parser.parse_args(arguments)
    if not options.queue_url:
        parser.error("name the queue in --queue-url or LOGS_QUEUE_URL")
    try:
        client = sqs.client(read_timeout=options.wait + 5)
    except NoRegionError:
        parser.error("name the region in AWS_DEFAULT_REGION")
    # CloudWatch's format is for Lambda's log alone.
    os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")
    worker = Worker(client, options.queue_url, batch_size=options.batch_size, wait=options.wait)
    signal.signal(signal.SIGINT, worker.stop)
    signal.signal(signal.SIGTERM, worker.stop)
    worker.run()


if __name__ == "__main__":
    main()
