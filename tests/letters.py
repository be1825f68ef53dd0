"""Dead letters of both kinds, the command that deals with them, and the writer's turn."""

import base64
import json
import random
from dataclasses import dataclass
from typing import Any

import pytest

from ingest import __main__ as ingest_commands
from ingest.handler import lambda_handler
from ingest.writing.lambda_event import record
from tests.queues import Queues

ARN = "arn:aws:sqs:us-east-1:123456789012:logs"


def noise(size: int) -> str:
    """Return text that no compression makes smaller as a message."""
    return base64.b64encode(random.Random(1).randbytes(size)).decode()[:size]


@dataclass(frozen=True)
class Run:
    """What a command answered."""

    status: int
    out: str
    err: str


class Letters:
    """The queues of a test, with dead letters in them."""

    def __init__(self, queues: Queues, capsys: pytest.CaptureFixture[str]) -> None:
        self.queues = queues
        self._capsys = capsys

    def run(self, *arguments: str) -> Run:
        """Run `python -m ingest dead-letters …` in this process."""
        self._capsys.readouterr()
        status = ingest_commands.main(["dead-letters", *arguments])
        told = self._capsys.readouterr()
        return Run(status, told.out, told.err)

    def listed(self) -> list[dict[str, Any]]:
        """Return what `list --json` tells."""
        return [json.loads(line) for line in self.run("list", "--json").out.splitlines()]

    def work(self) -> None:
        """Let the writer handle all that is in the queue."""
        for message in self.queues.messages():
            assert lambda_handler({"Records": [record(message, ARN)]}, None) == {"batchItemFailures": []}
            self.queues.client.delete_message(
                QueueUrl=self.queues.url, ReceiptHandle=message["ReceiptHandle"]
            )

    def reject(self, body: str, **attributes: str) -> dict[str, Any]:
        """Send a message that the writer refuses; return what `list` tells of the new dead letter."""
        known = {each["message_id"] for each in self.listed()}
        self.queues.send(body, **attributes)
        self.work()
        [told] = [each for each in self.listed() if each["message_id"] not in known]
        return told

    def redrive(self, body: str, **attributes: str) -> dict[str, str]:
        """Send a message that fails until SQS moves it; return its id and the time it was sent."""
        client, url = self.queues.client, self.queues.url
        arn = client.get_queue_attributes(QueueUrl=self.queues.dead_letter_url, AttributeNames=["QueueArn"])
        policy = {"deadLetterTargetArn": arn["Attributes"]["QueueArn"], "maxReceiveCount": 1}
        client.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(policy)})
        self.queues.send(body, **attributes)
        [message] = client.receive_message(
            QueueUrl=url, VisibilityTimeout=0, MessageSystemAttributeNames=["All"]
        )["Messages"]
        assert not client.receive_message(QueueUrl=url).get("Messages")
        client.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": ""})
        return {"MessageId": message["MessageId"], "SentTimestamp": message["Attributes"]["SentTimestamp"]}
