"""A fake SQS in memory, for thousands of messages. It counts requests.

moto counts all messages anew at each request, so a thousand of them take a minute.
"""

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ingest.wire import sqs

QUEUE_URL = "http://127.0.0.1:1/000000000000/logs"
DEAD_LETTER_QUEUE_URL = f"{QUEUE_URL}-dead"
SENT_TIMESTAMP = "1764000000123"

Entries = list[dict[str, Any]]


@dataclass
class Message:
    """A message in a queue. It is visible from the time `visible_at` on."""

    body: str
    attributes: dict[str, Any]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    visible_at: float = 0

    @property
    def size(self) -> int:
        """Return the size in bytes."""
        texts = [
            name + value["DataType"] + value.get("StringValue", "") for name, value in self.attributes.items()
        ]
        return len("".join([self.body, *texts]).encode())


class MemorySqs:
    """Queues by URL. `now` is the time in seconds, which each request advances by `seconds_per_request`.

    `fail` is called with the name of a request and an entry. It returns the error code of the entry, or None.
    """

    def __init__(self) -> None:
        self.queues: dict[str, dict[str, Message]] = {}
        self.requests: Counter[str] = Counter()
        self.now = 0.0
        self.seconds_per_request = 0.0
        self.fail: Callable[[str, dict[str, Any]], str | None] = lambda request, entry: None

    def put(self, url: str, body: str, **attributes: str) -> str:
        """Add a message to a queue. Return its id."""
        values = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        message = Message(body, values)
        self.queues.setdefault(url, {})[message.id] = message
        return message.id

    def visible(self, url: str) -> list[Message]:
        """Return the visible messages of a queue."""
        return [each for each in self.queues.get(url, {}).values() if each.visible_at <= self.now]

    def close(self) -> None:
        """Do nothing, as there are no connections."""

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:
        self._count("get_queue_attributes")
        visible = len(self.visible(QueueUrl))
        numbers = {
            "ApproximateNumberOfMessages": visible,
            "ApproximateNumberOfMessagesNotVisible": len(self.queues.get(QueueUrl, {})) - visible,
        }
        return {"Attributes": {name: str(numbers[name]) for name in AttributeNames if name in numbers}}

    def receive_message(
        self, QueueUrl: str, MaxNumberOfMessages: int, VisibilityTimeout: int, **_: Any
    ) -> dict[str, Any]:
        self._count("receive_message")
        messages = self.visible(QueueUrl)[:MaxNumberOfMessages]
        for message in messages:
            message.visible_at = self.now + VisibilityTimeout
        return {
            "Messages": [
                {
                    "MessageId": each.id,
                    "ReceiptHandle": each.id,
                    "Body": each.body,
                    "Attributes": {"SentTimestamp": SENT_TIMESTAMP, "SenderId": "AIDA"},
                    "MessageAttributes": each.attributes,
                }
                for each in messages
            ]
        }

    def send_message_batch(self, QueueUrl: str, Entries: Entries) -> dict[str, Any]:
        queue = self.queues.setdefault(QueueUrl, {})
        total = 0

        def send(entry: dict[str, Any]) -> None:
            nonlocal total
            message = Message(entry["MessageBody"], entry.get("MessageAttributes", {}))
            total += message.size
            assert total <= sqs.MAX_BYTES
            assert len(message.attributes) <= sqs.MAX_ATTRIBUTES
            queue[message.id] = message

        return self._each("send_message_batch", Entries, send)

    def delete_message_batch(self, QueueUrl: str, Entries: Entries) -> dict[str, Any]:
        queue = self.queues[QueueUrl]

        def delete(entry: dict[str, Any]) -> None:
            queue.pop(entry["ReceiptHandle"], None)

        return self._each("delete_message_batch", Entries, delete)

    def change_message_visibility_batch(self, QueueUrl: str, Entries: Entries) -> dict[str, Any]:
        queue = self.queues[QueueUrl]

        def change(entry: dict[str, Any]) -> None:
            if message := queue.get(entry["ReceiptHandle"]):
                message.visible_at = self.now + entry["VisibilityTimeout"]

        return self._each("change_message_visibility_batch", Entries, change)

    def _each(self, request: str, entries: Entries, act: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        self._count(request)
        assert 1 <= len(entries) <= sqs.MAX_BATCH
        response: dict[str, Any] = {"Successful": [], "Failed": []}
        for entry in entries:
            if code := self.fail(request, entry):
                is_content = code == "InvalidMessageContents"
                response["Failed"].append({"Id": entry["Id"], "Code": code, "SenderFault": is_content})
            else:
                act(entry)
                response["Successful"].append({"Id": entry["Id"]})
        return response

    def _count(self, request: str) -> None:
        self.requests[request] += 1
        self.now += self.seconds_per_request
