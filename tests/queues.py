"""The queues of a test, and what is in them."""

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
    def named(cls) -> Self:
        """Return the queues that the environment names."""
        return cls(sqs.client(), os.environ["LOGS_QUEUE_URL"], os.environ["LOGS_DEAD_LETTER_QUEUE_URL"])

    def send(self, body: str, **attributes: str) -> None:
        """Put a message into the queue, with message attributes."""
        self.client.send_message(
            QueueUrl=self.url,
            MessageBody=body,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )

    def messages(self) -> "list[MessageTypeDef]":
        """Take all that the queue holds."""
        return self._take(self.url)

    def bodies(self) -> list[str]:
        """Take all that the queue holds; return the bodies."""
        return [message["Body"] for message in self.messages()]

    def dead_letters(self) -> "list[MessageTypeDef]":
        """Take all that the dead-letter queue holds."""
        return self._take(self.dead_letter_url)

    def count(self) -> int:
        """Return how many messages the queue holds, hidden ones too."""
        return self._count(self.url)

    def count_dead(self) -> int:
        """Return how many messages the dead-letter queue holds, hidden ones too."""
        return self._count(self.dead_letter_url)

    def _count(self, url: str) -> int:
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.client.get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)

    def _take(self, url: str) -> "list[MessageTypeDef]":
        taken: list[MessageTypeDef] = []
        while messages := self.client.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages"):
            taken += messages
        return taken


def attribute_texts(message: "MessageTypeDef") -> dict[str, str]:
    """Return a received message's attributes, as texts."""
    return {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
