"""The queues of a test and their messages."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from ingest.wire import sqs

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef


@dataclass(frozen=True)
class Queues:
    """The queue of logs and its dead-letter queue."""

    client: "SQSClient"
    url: str
    dead_letter_url: str

    @classmethod
    def from_environment(cls) -> Self:
        """Return the queues whose URLs are in the environment."""
        return cls(sqs.client(), os.environ["LOGS_QUEUE_URL"], os.environ["LOGS_DEAD_LETTER_QUEUE_URL"])

    def send(self, body: str, **attributes: str) -> None:
        """Send a message to the queue of logs, with message attributes."""
        self.client.send_message(
            QueueUrl=self.url,
            MessageBody=body,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )

    def messages(self) -> "list[MessageTypeDef]":
        """Receive all visible messages of the queue of logs."""
        return self._receive_all(self.url)

    def bodies(self) -> list[str]:
        """Receive all visible messages of the queue of logs. Return their bodies."""
        return [message["Body"] for message in self.messages()]

    def dead_letters(self) -> "list[MessageTypeDef]":
        """Receive all visible messages of the dead-letter queue."""
        return self._receive_all(self.dead_letter_url)

    def count(self) -> int:
        """Return the number of messages in the queue of logs, hidden ones included."""
        return self._count(self.url)

    def count_dead(self) -> int:
        """Return the number of messages in the dead-letter queue, hidden ones included."""
        return self._count(self.dead_letter_url)

    def _count(self, url: str) -> int:
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        response = self.client.get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return sum(int(response["Attributes"][name]) for name in names)

    def _receive_all(self, url: str) -> "list[MessageTypeDef]":
        received: list[MessageTypeDef] = []
        while messages := self.client.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages"):
            received += messages
        return received


def attribute_texts(message: "MessageTypeDef") -> dict[str, str]:
    """Return the attributes of a received message as texts."""
    return {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
