"""SQS on a laptop: the emulator MiniStack, and the two queues.

MiniStack has its own virtual environment, because it pins botocore.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.wire import sqs
from logsite.local.errors import StackError

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

MAX_RECEIVES = 5
# Long enough for a batch of ten. Short enough that a developer sees a failed message redelivered.
VISIBILITY_TIMEOUT_SECONDS = 30
DEAD_LETTER_RETENTION_SECONDS = 14 * 24 * 3600


class EmulatorMissing(StackError):
    """MiniStack is not installed."""


def command() -> list[str]:
    """Return the command line of the SQS emulator. Raise EmulatorMissing if it is not installed.

    Its environment is beside the one that runs this: .venv-emulator beside .venv. The emulator runs Lambda
    functions with its own Python, so each Python has its own emulator.
    """
    environment = Path(sys.prefix)
    python = environment.with_name(f"{environment.name}-emulator") / "bin" / "python"
    if not python.exists():
        raise EmulatorMissing(
            "The SQS emulator is not installed. Run `make setup`, or set AWS_ENDPOINT_URL_SQS to another SQS."
        )
    return [str(python), "-m", "ministack"]


def environment(port: int, folder: Path) -> dict[str, str]:
    """Return the whole environment of MiniStack: no credentials, and this machine only.

    MiniStack writes its files to `folder`, which nothing else uses.
    """
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "BIND_HOST": "127.0.0.1",  # it listens on every interface by default
        "GATEWAY_PORT": str(port),
        "SERVICES": "sqs",
        "PYTHONUNBUFFERED": "1",
        "LOG_LEVEL": "WARNING",
    }


@dataclass(frozen=True)
class Queues:
    """The addresses of LogsQueue and of its dead-letter queue."""

    url: str
    dead_letter_url: str

    def count_messages(self, client: "SQSClient") -> int:
        """Return the number of messages in LogsQueue, in flight or not."""
        return sqs.count_messages(client, self.url)

    def count_dead_letters(self, client: "SQSClient") -> int:
        """Return the number of messages in the dead-letter queue, in flight or not."""
        return sqs.count_messages(client, self.dead_letter_url)


def create(client: "SQSClient") -> Queues:
    """Create LogsQueue and its dead-letter queue, unless they exist."""
    dead_letter_url = client.create_queue(
        QueueName="LogsDeadLetterQueue",
        Attributes={"MessageRetentionPeriod": str(DEAD_LETTER_RETENTION_SECONDS)},
    )["QueueUrl"]
    response = client.get_queue_attributes(QueueUrl=dead_letter_url, AttributeNames=["QueueArn"])
    redrive_policy = {
        "deadLetterTargetArn": response["Attributes"]["QueueArn"],
        "maxReceiveCount": MAX_RECEIVES,
    }
    url = client.create_queue(
        QueueName="LogsQueue",
        Attributes={
            "VisibilityTimeout": str(VISIBILITY_TIMEOUT_SECONDS),
            "RedrivePolicy": json.dumps(redrive_policy),
        },
    )["QueueUrl"]
    return Queues(url, dead_letter_url)
