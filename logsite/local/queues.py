"""SQS on a laptop: MiniStack in an environment of its own, and the two queues."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

ROOT = Path(__file__).resolve().parent.parent.parent
MAX_RECEIVES = 5
# Long enough for a batch of ten, short enough that a log that failed comes back while one is watching.
VISIBILITY_SECONDS = 30
DEAD_LETTER_RETENTION_SECONDS = 14 * 24 * 3600


class EmulatorMissing(Exception):
    """MiniStack is not installed."""


def command() -> list[str]:
    """Return the command line that serves SQS. Raises EmulatorMissing where it is not installed."""
    python = ROOT / ".venv-emulator" / "bin" / "python"
    if not python.exists():
        raise EmulatorMissing(
            "The SQS emulator is not installed: `make setup` does it. "
            "Or name another SQS in AWS_ENDPOINT_URL_SQS."
        )
    return [str(python), "-m", "ministack"]


def environment(port: int, folder: Path) -> dict[str, str]:
    """Return the whole environment of MiniStack: nothing of ours, no credentials, this machine alone.

    What it writes goes to `folder`, which it has for itself.
    """
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "BIND_HOST": "127.0.0.1",  # it listens everywhere by default
        "GATEWAY_PORT": str(port),
        "SERVICES": "sqs",
        "PYTHONUNBUFFERED": "1",
        "LOG_LEVEL": "WARNING",
    }


@dataclass(frozen=True)
class Queues:
    """LogsQueue and its dead-letter queue."""

    url: str
    dead_letter_url: str

    def waiting(self, client: "SQSClient") -> int:
        """Return how many messages are in LogsQueue, in flight or not."""
        return self._count(client, self.url)

    def dead(self, client: "SQSClient") -> int:
        """Return how many messages are in the dead-letter queue."""
        return self._count(client, self.dead_letter_url)

    @staticmethod
    def _count(client: "SQSClient", url: str) -> int:
        answer = client.get_queue_attributes(
            QueueUrl=url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )
        return sum(int(number) for number in answer["Attributes"].values())


def create(client: "SQSClient") -> Queues:
    """Make LogsQueue with its dead-letter queue behind it, where they are missing."""
    dead = client.create_queue(
        QueueName="LogsDeadLetterQueue",
        Attributes={"MessageRetentionPeriod": str(DEAD_LETTER_RETENTION_SECONDS)},
    )["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    url = client.create_queue(
        QueueName="LogsQueue",
        Attributes={
            "VisibilityTimeout": str(VISIBILITY_SECONDS),
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": MAX_RECEIVES}),
        },
    )["QueueUrl"]
    return Queues(url, dead)
