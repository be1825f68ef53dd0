"""Dead letters of both origins, the `dead-letters` command, and the writer on demand."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from ingest import __main__ as ingest_commands
from ingest.handler import lambda_handler
from ingest.writing.lambda_event import record
from tests.factories import NO_FAILURES
from tests.queues import Queues

ARN = "arn:aws:sqs:us-east-1:123456789012:logs"


@dataclass(frozen=True)
class Run:
    """The result of a command."""

    status: int
    out: str
    err: str


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> Run:
    """Run `python -m ingest dead-letters …` in this process."""
    capsys.readouterr()
    status = ingest_commands.main(["dead-letters", *arguments])
    output = capsys.readouterr()
    return Run(status, output.out, output.err)


class DeadLetters:
    """The queues of a test, with dead letters in them."""

    def __init__(self, queues: Queues, capsys: pytest.CaptureFixture[str]) -> None:
        self.queues = queues
        self._capsys = capsys

    def run(self, *arguments: str) -> Run:
        """Run `python -m ingest dead-letters …` in this process."""
        return run(self._capsys, *arguments)

    def list_json(self) -> list[dict[str, Any]]:
        """Return the output of `list --json`."""
        return [json.loads(line) for line in self.run("list", "--json").out.splitlines()]

    def run_writer(self) -> None:
        """Let the writer process all messages of the queue of logs."""
        for message in self.queues.messages():
            assert lambda_handler({"Records": [record(message, ARN)]}, None) == NO_FAILURES
            self.queues.client.delete_message(
                QueueUrl=self.queues.url, ReceiptHandle=message["ReceiptHandle"]
            )

    def reject(self, body: str, **attributes: str) -> dict[str, Any]:
        """Send a message that the writer rejects. Return the new dead letter as `list` shows it."""
        before = {each["message_id"] for each in self.list_json()}
        self.queues.send(body, **attributes)
        self.run_writer()
        [dead_letter] = [each for each in self.list_json() if each["message_id"] not in before]
        return dead_letter

    def exhaust(self, body: str, **attributes: str) -> dict[str, str]:
        """Send a message and let SQS move it by the redrive policy. Return its id and the time of sending."""
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
