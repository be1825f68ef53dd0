"""A pytest plugin: MiniStack's SQS, for queues under load."""

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
from logsite.local.ports import free_port
from tests.queues import Queues
from tests.waiting import wait_until

MAX_RECEIVE_COUNT = 20
VISIBILITY_SECONDS = 15


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start MiniStack's SQS and set AWS_ENDPOINT_URL_SQS. Yield its endpoint."""
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
        wait_until(lambda: is_reachable(f"{endpoint}/_ministack/health"))
        yield endpoint
    finally:
        process.kill()
        process.wait(10)
        del os.environ["AWS_ENDPOINT_URL_SQS"]
        if before:
            os.environ["AWS_ENDPOINT_URL_SQS"] = before


@pytest.fixture
def busy_queues(emulator: str, monkeypatch: pytest.MonkeyPatch) -> Queues:
    """Create queues with a short visibility timeout, and set their URLs in the environment."""
    dead_letters.client.cache_clear()
    client = sqs.client()
    name = uuid.uuid4().hex
    dead_letter_url = client.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    attributes = client.get_queue_attributes(QueueUrl=dead_letter_url, AttributeNames=["QueueArn"])[
        "Attributes"
    ]
    policy = {"deadLetterTargetArn": attributes["QueueArn"], "maxReceiveCount": MAX_RECEIVE_COUNT}
    url = client.create_queue(
        QueueName=name,
        Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS), "RedrivePolicy": json.dumps(policy)},
    )["QueueUrl"]
    monkeypatch.setenv("LOGS_QUEUE_URL", url)
    monkeypatch.setenv("LOGS_DEAD_LETTER_QUEUE_URL", dead_letter_url)
    return Queues(client, url, dead_letter_url)


def is_reachable(url: str) -> bool:
    """Return whether a server responds at the URL."""
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except (OSError, http.client.HTTPException):
        return False
    return True
