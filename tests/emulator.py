"""A pytest plugin: a queue that bears load, of MiniStack's."""

import http.client
import json
import os
import subprocess
import urllib.request
import uuid
from collections.abc import Iterator

import pytest

from ingest.wire import sqs
from ingest.writing import dead_letters
from logsite.local import queues as local
from logsite.local.processes import free_port
from tests.queues import Queues
from tests.waiting import wait_until

MAX_RECEIVES = 20
VISIBILITY_SECONDS = 15


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start MiniStack's SQS, for AWS_ENDPOINT_URL_SQS; return its endpoint."""
    port = free_port()
    folder = tmp_path_factory.mktemp("sqs")
    endpoint = f"http://127.0.0.1:{port}"
    before = os.environ.get("AWS_ENDPOINT_URL_SQS")
    process = subprocess.Popen(
        local.command(),
        env=local.environment(port, folder),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
    )
    os.environ["AWS_ENDPOINT_URL_SQS"] = endpoint
    try:
        wait_until(lambda: answers(f"{endpoint}/_ministack/health"))
        yield endpoint
    finally:
        process.kill()
        process.wait(10)
        del os.environ["AWS_ENDPOINT_URL_SQS"]
        if before:
            os.environ["AWS_ENDPOINT_URL_SQS"] = before


@pytest.fixture
def busy_queues(emulator: str, monkeypatch: pytest.MonkeyPatch) -> Queues:
    """Make a queue that redelivers soon, and its dead-letter queue, named by the environment."""
    dead_letters._client.cache_clear()
    client = sqs.client()
    name = uuid.uuid4().hex
    dead = client.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": MAX_RECEIVES})
    url = client.create_queue(
        QueueName=name,
        Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS), "RedrivePolicy": redrive},
    )["QueueUrl"]
    monkeypatch.setenv("LOGS_QUEUE_URL", url)
    monkeypatch.setenv("LOGS_DEAD_LETTER_QUEUE_URL", dead)
    return Queues(client, url, dead)


def answers(url: str) -> bool:
    """Tell whether something answers at the address."""
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except (OSError, http.client.HTTPException):
        return False
    return True
