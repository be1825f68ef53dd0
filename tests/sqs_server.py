"""A pytest plugin: a real SQS interface (moto's server), and a fresh pair of queues for each test."""

import logging
import os
import uuid
from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from ingest.cli.dlq import queue as peeking
from ingest.wire import sqs
from ingest.writing import dead_letters
from tests.letters import Letters
from tests.queues import Queues


@pytest.fixture(scope="session")
def sqs_server() -> Iterator[str]:
    """Start moto's server for this test process, for AWS_ENDPOINT_URL_SQS; return its endpoint."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    os.environ["AWS_ENDPOINT_URL_SQS"] = endpoint
    yield endpoint
    del os.environ["AWS_ENDPOINT_URL_SQS"]
    server.stop()


@pytest.fixture
def queues(sqs_server: str, monkeypatch: pytest.MonkeyPatch) -> Queues:
    """Make an empty queue and an empty dead-letter queue, named by the environment."""
    dead_letters._client.cache_clear()
    client = sqs.client()
    name = uuid.uuid4().hex
    made = Queues(
        client,
        client.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "60"})["QueueUrl"],
        client.create_queue(QueueName=f"{name}-dead")["QueueUrl"],
    )
    monkeypatch.setenv("LOGS_QUEUE_URL", made.url)
    monkeypatch.setenv("LOGS_DEAD_LETTER_QUEUE_URL", made.dead_letter_url)
    return made


@pytest.fixture
def letters(queues: Queues, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Letters:
    """Return the empty queues with the command; moto's one server has no need of polls that wait."""
    monkeypatch.setattr(peeking, "WAIT_SECONDS", 0)
    monkeypatch.setenv("COLUMNS", "150")
    return Letters(queues, capsys)
