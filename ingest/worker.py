"""The writer without Lambda: polls a queue and calls the same `lambda_handler`.

Any number of workers may run in parallel. SQS hides a message from the other workers during its visibility
timeout. Writing is idempotent, so a message that two workers receive is stored once.
"""

import argparse
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ingest.handler import lambda_handler, logger
from ingest.wire import sqs
from ingest.wire.backoff import backoff
from ingest.wire.errors import AWS_ERRORS, explain, is_queue_missing
from ingest.writing.lambda_event import Context, queue_arn, record

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

# How long a stop waits for the response of a poll. Messages of a lost response stay hidden for the queue's
# visibility timeout.
GRACE_SECONDS = 0.5
# A stop is noticed within this time.
TICK_SECONDS = 0.1
FIRST_DELAY_SECONDS, MAX_DELAY_SECONDS = 1.0, 30.0
# A batch is collected from responses of up to ten messages. The limits are those of a Lambda event:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_BATCH_SIZE, MAX_BATCH_BYTES = 1_000, 6_000_000
UNREACHABLE, MISSING = "SQS is unreachable, retrying", "the queue does not exist, retrying"


class Worker:
    """Polls one queue until it is stopped.

    `batch_size` is the largest number of messages in a batch, and `wait` the seconds of a long poll.
    """

    def __init__(self, client: "SQSClient", queue_url: str, *, batch_size: int = 10, wait: int = 20) -> None:
        self.client = client
        self.queue_url = queue_url
        self.batch_size = batch_size
        self.wait = wait
        self.arn = queue_arn(queue_url, client.meta.region_name, client.meta.partition)
        self._stopping = False

    @property
    def is_stopping(self) -> bool:
        """Return whether `stop` was called."""
        return self._stopping

    def stop(self, *_: object) -> None:
        """Stop after the current batch. Also a signal handler.

        It only sets a flag, because a signal may arrive while any lock is held.
        """
        self._stopping = True

    def run(self) -> None:
        """Poll, store and delete until `stop` is called. Errors of AWS are logged and retried."""
        logger.info("worker started", queue_url=self.queue_url)
        delays = _delays()
        problem = ""
        while not self._stopping:
            try:
                batch = self._receive()
            except AWS_ERRORS as error:
                last_problem = problem
                problem = MISSING if is_queue_missing(error) else UNREACHABLE
                if problem != last_problem:
                    reason = explain(error, self.queue_url)
                    logger.error(problem, error=type(error).__name__, reason=reason)
                self._sleep(next(delays))
                continue
            if problem:
                logger.info("SQS is reachable again")
                problem = ""
                delays = _delays()
            if not batch:
                continue
            if self._process(batch):
                delays = _delays()
            else:
                # DynamoDB is probably unavailable. Another poll would only raise the receive count of more
                # messages, and the redrive policy would move them.
                self._sleep(next(delays))
        logger.info("worker stopped")

    def _receive(self) -> list[Mapping[str, Any]]:
        """Return the next messages.

        They are none after `wait` seconds without a message, and once the worker is stopping. A thread polls,
        so that a stop does not have to wait for the end of a long poll. Raise one of AWS_ERRORS if SQS does
        not respond.
        """
        poll = _Poll(self)
        poll.start()
        while poll.is_alive() and not self._stopping:
            poll.join(TICK_SECONDS)
        poll.join(GRACE_SECONDS)
        return poll.result()

    def _process(self, batch: list[Mapping[str, Any]]) -> bool:
        """Process a batch and delete all but its batch item failures. Return whether any succeeded."""
        event = {"Records": [record(message, self.arn) for message in batch]}
        response = lambda_handler(event, Context(lambda: self._stopping))
        failures = {item["itemIdentifier"] for item in response["batchItemFailures"]}
        processed = [message for message in batch if message["MessageId"] not in failures]
        for start in range(0, len(processed), sqs.MAX_BATCH):
            self._delete(processed[start : start + sqs.MAX_BATCH])
        return bool(processed)

    def _delete(self, messages: list[Mapping[str, Any]]) -> None:
        """Delete up to ten messages.

        SQS redelivers a message that is not deleted. Its log is then a duplicate.
        """
        handles = {str(number): message["ReceiptHandle"] for number, message in enumerate(messages)}
        try:
            response = self.client.delete_message_batch(
                QueueUrl=self.queue_url,
                Entries=[{"Id": number, "ReceiptHandle": handle} for number, handle in handles.items()],
            )
        except AWS_ERRORS as error:
            logger.warning(
                "not deleted", messages=len(messages), error=type(error).__name__, reason=str(error)
            )
            return
        for failure in response.get("Failed", []):
            message_id = messages[int(failure["Id"])]["MessageId"]
            logger.warning("not deleted", message_id=message_id, error=failure["Code"])

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < end:
            time.sleep(TICK_SECONDS)


class _Poll(threading.Thread):
    """The ReceiveMessage requests of one batch. A daemon thread: the process may end while it waits."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(daemon=True)
        self._worker = worker
        self._messages: list[Mapping[str, Any]] = []
        self._is_done = False
        self._error: Exception | None = None

    def run(self) -> None:
        """Wait for the first messages, then fill up the batch without waiting."""
        worker = self._worker
        size = 0
        try:
            while not worker.is_stopping and size < MAX_BATCH_BYTES:
                limit = min(sqs.MAX_BATCH, worker.batch_size - len(self._messages))
                response = worker.client.receive_message(
                    QueueUrl=worker.queue_url,
                    MaxNumberOfMessages=limit,
                    WaitTimeSeconds=0 if self._messages else worker.wait,
                    MessageSystemAttributeNames=["All"],
                    MessageAttributeNames=["All"],
                )
                messages = response.get("Messages", [])
                self._messages += messages
                size += sum(len(message["Body"]) for message in messages)
                if len(messages) < limit or len(self._messages) == worker.batch_size:
                    break
            self._is_done = True
        except AWS_ERRORS as error:
            self._error = error

    def result(self) -> list[Mapping[str, Any]]:
        """Return the messages, or none while the poll is running.

        Raise the poll's error if it received none before.
        """
        if self._error and not self._messages:
            raise self._error
        if not (self._is_done or self._error or self.is_alive()):
            raise RuntimeError("the polling thread ended without a result")
        return [] if self.is_alive() else self._messages


def _delays() -> Iterator[float]:
    return backoff(FIRST_DELAY_SECONDS, MAX_DELAY_SECONDS)


def main(arguments: list[str] | None = None) -> None:
    """Run a worker until Ctrl-C or SIGTERM. Raise SystemExit for invalid arguments and --help."""
    parser = argparse.ArgumentParser(
        prog="python -m ingest.worker",
        description=(
            "Store the messages of a queue in the logs table, as the Lambda function does. SIGTERM or Ctrl-C "
            "stops the worker after the current batch. Any number of workers may run in parallel."
        ),
    )
    parser.add_argument(
        "--queue-url",
        default=os.environ.get("LOGS_QUEUE_URL"),
        metavar="URL",
        help="the queue of logs; default: LOGS_QUEUE_URL",
    )
    parser.add_argument(
        "--batch-size",
        type=int,
        default=10,
        choices=range(1, MAX_BATCH_SIZE + 1),
        metavar=f"1-{MAX_BATCH_SIZE}",
        help="process at most this many messages in parallel; default: 10",
    )
    parser.add_argument(
        "--wait",
        type=int,
        default=20,
        choices=range(1, 21),
        metavar="1-20",
        help="let a long poll wait this many seconds for messages; default: 20",
    )
    options = parser.parse_args(arguments)
    if not options.queue_url:
        parser.error("set the queue with --queue-url or LOGS_QUEUE_URL")
    try:
        sqs.check_queue_url(options.queue_url, "--queue-url or LOGS_QUEUE_URL")
        if dead_letter_queue_url := os.environ.get("LOGS_DEAD_LETTER_QUEUE_URL"):
            sqs.check_queue_url(dead_letter_queue_url, "LOGS_DEAD_LETTER_QUEUE_URL")
    except ValueError as error:
        parser.error(str(error))
    client = sqs.client(read_timeout=options.wait + 5, queue_url=options.queue_url)
    # CloudWatch reads the embedded metric format in Lambda's log only.
    os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")
    # The writer deletes messages before a large one that is redelivered.
    os.environ["LOGS_QUEUE_URL"] = options.queue_url
    worker = Worker(client, options.queue_url, batch_size=options.batch_size, wait=options.wait)
    signal.signal(signal.SIGINT, worker.stop)
    signal.signal(signal.SIGTERM, worker.stop)
    worker.run()


if __name__ == "__main__":
    main()
