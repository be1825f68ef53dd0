"""Are the queue and its dead-letter queue wired, and do the clocks agree?"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ingest.wire import sqs
from logsite.doctor.findings import Finding, fail, note, ok

QUEUE, DEAD_LETTERS, CLOCK = "Queue", "Dead-letter queue", "Clock"
# One failure alone would make a dead letter of a log that only had to wait.
MIN_RECEIVES = 2
MAX_SKEW_SECONDS = 60


@dataclass(frozen=True)
class Queue:
    """A queue as SQS describes it."""

    url: str
    attributes: dict[str, str]
    answered_at: datetime | None  # by the clock of SQS
    asked_at: datetime  # by ours

    @property
    def arn(self) -> str:
        """Return its ARN."""
        return self.attributes["QueueArn"]

    @property
    def visibility_seconds(self) -> int:
        """Return for how long a message that was received is hidden."""
        return int(self.attributes["VisibilityTimeout"])

    @property
    def retention_seconds(self) -> int:
        """Return for how long a message is kept."""
        return int(self.attributes["MessageRetentionPeriod"])


def describe(variable: str) -> Queue | None:
    """Return the queue that an environment variable names, or None where it names none.

    Raises botocore's BotoCoreError and ClientError.
    """
    url = os.environ.get(variable)
    if not url:
        return None
    client = sqs.client(queue_url=url)
    answer: Any = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return Queue(url, answer["Attributes"], parsedate_to_datetime(date) if date else None, _now())


def check() -> Iterator[Finding]:
    """Look at both queues and at the way from one to the other."""
    queue, dead = describe("LOGS_QUEUE_URL"), describe("LOGS_DEAD_LETTER_QUEUE_URL")
    if queue is None:
        yield fail(QUEUE, "LOGS_QUEUE_URL is not set", "Set it to the address of the queue of logs.")
    else:
        yield ok(QUEUE, queue.arn)
    if dead is None:
        yield fail(DEAD_LETTERS, "LOGS_DEAD_LETTER_QUEUE_URL is not set", "Set it to that queue's address.")
    else:
        yield ok(DEAD_LETTERS, dead.arn)
    if queue and dead:
        yield _redrive(queue, dead)
        yield _retention(queue, dead)
    if queue:
        yield _clock(queue)


def _redrive(queue: Queue, dead: Queue) -> Finding:
    what = "Redrive policy"
    policy = json.loads(queue.attributes.get("RedrivePolicy") or "{}")
    target, receives = policy.get("deadLetterTargetArn"), int(policy.get("maxReceiveCount", 0))
    if not target:
        return fail(
            what,
            "the queue has none: a log that cannot be stored is tried until it is lost",
            f"Set it to {dead.arn} with a maxReceiveCount of 5.",
        )
    if target != dead.arn:
        return fail(
            what, f"it leads to {target}, not to {dead.arn}", "Lead it to LOGS_DEAD_LETTER_QUEUE_URL."
        )
    if receives < MIN_RECEIVES:
        return fail(what, f"maxReceiveCount is {receives}: a log is tried only once", "Set it to 5.")
    return ok(what, f"after {receives} tries a message goes to the dead-letter queue")


def _retention(queue: Queue, dead: Queue) -> Finding:
    # The age of a dead letter counts from when it was sent first.
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
    if dead.retention_seconds <= queue.retention_seconds:
        return fail(
            "Retention",
            f"the dead-letter queue keeps messages for {_days(dead)} days, the queue for {_days(queue)}, "
            "and the first day of both is when the log was sent",
            "Let the dead-letter queue keep for longer: 14 days.",
        )
    return ok("Retention", f"{_days(queue)} days in the queue, {_days(dead)} in the dead-letter queue")


def _days(queue: Queue) -> str:
    return f"{queue.retention_seconds / 86_400:g}"


def _clock(queue: Queue) -> Finding:
    if queue.answered_at is None:
        return note(CLOCK, "SQS does not say its time here")
    ahead = (queue.asked_at - queue.answered_at).total_seconds()
    if abs(ahead) > MAX_SKEW_SECONDS:
        way = "ahead of" if ahead > 0 else "behind"
        return fail(CLOCK, f"this machine is {abs(ahead):.0f} s {way} AWS", "Set its clock, by NTP.")
    return ok(CLOCK, f"within {MAX_SKEW_SECONDS} s of AWS")


def _now() -> datetime:
    return datetime.now(UTC)
