"""The checks of the queue, its dead-letter queue, and this machine's clock."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ingest.wire import sqs
from logsite.doctor.results import CheckResult, fail, note, ok

QUEUE, DEAD_LETTER_QUEUE, CLOCK = "Queue", "Dead-letter queue", "Clock"
REDRIVE_POLICY, RETENTION = "Redrive policy", "Retention"
# With a maxReceiveCount of 1, a single transient error would turn a log into a dead letter.
MIN_RECEIVES = 2
MAX_SKEW_SECONDS = 60
DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Queue:
    """A queue as SQS describes it."""

    url: str
    attributes: dict[str, str]
    sqs_time: datetime | None  # the clock of SQS, None if the response has no date
    local_time: datetime  # this machine's clock at the same moment

    @property
    def arn(self) -> str:
        """Return the ARN."""
        return self.attributes["QueueArn"]

    @property
    def visibility_timeout(self) -> int:
        """Return the visibility timeout in seconds."""
        return int(self.attributes["VisibilityTimeout"])

    @property
    def retention_days(self) -> float:
        """Return the retention period in days."""
        return int(self.attributes["MessageRetentionPeriod"]) / DAY_SECONDS


def describe(variable: str) -> Queue | None:
    """Return the queue that an environment variable names, None if it is not set.

    Costs one request. Raise InvalidQueueUrl, and botocore's BotoCoreError and ClientError.
    """
    url = os.environ.get(variable)
    if not url:
        return None
    sqs.check_queue_url(url, variable)
    client = sqs.client(queue_url=url)
    response: Any = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    date = response["ResponseMetadata"]["HTTPHeaders"].get("date")
    sqs_time = parsedate_to_datetime(date) if date else None
    return Queue(url, response["Attributes"], sqs_time, datetime.now(UTC))


def check() -> Iterator[CheckResult]:
    """Check both queues, the redrive policy between them, and the clock.

    Costs two requests. Raise InvalidQueueUrl, and botocore's BotoCoreError and ClientError.
    """
    queue, dead_letter_queue = describe("LOGS_QUEUE_URL"), describe("LOGS_DEAD_LETTER_QUEUE_URL")
    if queue is None:
        yield fail(QUEUE, "LOGS_QUEUE_URL is not set", "Set it to the URL of the queue of logs.")
    else:
        yield ok(QUEUE, queue.arn)
    if dead_letter_queue is None:
        yield fail(
            DEAD_LETTER_QUEUE,
            "LOGS_DEAD_LETTER_QUEUE_URL is not set",
            "Set it to the URL of the dead-letter queue.",
        )
    else:
        yield ok(DEAD_LETTER_QUEUE, dead_letter_queue.arn)
    if queue and dead_letter_queue:
        yield _check_redrive_policy(queue, dead_letter_queue)
        yield _check_retention(queue, dead_letter_queue)
    if queue:
        yield _check_clock(queue)


def _check_redrive_policy(queue: Queue, dead_letter_queue: Queue) -> CheckResult:
    policy = json.loads(queue.attributes.get("RedrivePolicy") or "{}")
    target, max_receives = policy.get("deadLetterTargetArn"), int(policy.get("maxReceiveCount", 0))
    if not target:
        return fail(
            REDRIVE_POLICY,
            "the queue has no redrive policy: SQS redelivers a log that cannot be stored until it expires",
            f"Set deadLetterTargetArn to {dead_letter_queue.arn} and maxReceiveCount to 5.",
        )
    if target != dead_letter_queue.arn:
        return fail(
            REDRIVE_POLICY,
            f"deadLetterTargetArn is {target}, not {dead_letter_queue.arn}",
            "Set it to the queue of LOGS_DEAD_LETTER_QUEUE_URL.",
        )
    if max_receives < MIN_RECEIVES:
        return fail(
            REDRIVE_POLICY, f"maxReceiveCount is {max_receives}: a log has only one try", "Set it to 5."
        )
    return ok(REDRIVE_POLICY, f"SQS moves a message to the dead-letter queue after {max_receives} receives")


def _check_retention(queue: Queue, dead_letter_queue: Queue) -> CheckResult:
    # SQS counts the age of a dead-letter message from its first sending.
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
    days, dead_letter_days = queue.retention_days, dead_letter_queue.retention_days
    if dead_letter_days <= days:
        return fail(
            RETENTION,
            f"the dead-letter queue keeps messages for {dead_letter_days:g} days, "
            f"the queue for {days:g} days, both counted from the first sending",
            "Set the retention period of the dead-letter queue to 14 days.",
        )
    return ok(RETENTION, f"{days:g} days in the queue, {dead_letter_days:g} in the dead-letter queue")


def _check_clock(queue: Queue) -> CheckResult:
    if queue.sqs_time is None:
        return note(CLOCK, "this SQS does not return its time")
    skew = (queue.local_time - queue.sqs_time).total_seconds()
    if abs(skew) > MAX_SKEW_SECONDS:
        direction = "ahead of" if skew > 0 else "behind"
        return fail(
            CLOCK, f"this machine is {abs(skew):.0f} s {direction} AWS", "Synchronize its clock, by NTP."
        )
    return ok(CLOCK, f"within {MAX_SKEW_SECONDS} s of AWS")
