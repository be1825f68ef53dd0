"""A pytest plugin: SQS's API (moto's server) and new queues for each test, or a fake in memory."""

import logging
import os
import uuid
from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from ingest.wire import sqs
from ingest.writing import dead_letters
from tests.dead_letters import DeadLetters
from tests.memory_sqs import DEAD_LETTER_QUEUE_URL, QUEUE_URL, MemorySqs
from tests.queues import Queues


@pytest.fixture(scope="session")
def sqs_server() -> Iterator[str]:
    """Start moto's server and set AWS_ENDPOINT_URL_SQS. Yield its endpoint."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it logs a line for each request
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
    """Create an empty queue of logs and an empty dead-letter queue. Set their URLs in the environment."""
    dead_letters.client.cache_clear()
    client = sqs.client()
    name = uuid.uuid4().hex
    queues = Queues(
        client,
        client.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "60"})["QueueUrl"],
        client.create_queue(QueueName=f"{name}-dead")["QueueUrl"],
    )
    monkeypatch.setenv("LOGS_QUEUE_URL", queues.url)
    monkeypatch.setenv("LOGS_DEAD_LETTER_QUEUE_URL", queues.dead_letter_url)
    return queues


@pytest.fixture
def dlq(queues: Queues, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> DeadLetters:
    """Return the empty queues with the command. moto is one server, so no poll has to be a long one."""
    monkeypatch.setattr("ingest.cli.dlq.queue.WAIT_SECONDS", 0)
    monkeypatch.setenv("COLUMNS", "150")
    return DeadLetters(queues, capsys)


@pytest.fixture
def memory_sqs(monkeypatch: pytest.MonkeyPatch) -> MemorySqs:
    """Replace SQS by an empty fake, with retries at once. Set the URLs of its queues in the environment."""
    fake = MemorySqs()
    monkeypatch.setattr(sqs, "client", lambda **_: fake)
    for module in ("ingest.sending.batches", "ingest.cli.dlq.queue"):
        monkeypatch.setattr(f"{module}.FIRST_DELAY_SECONDS", 0)
        monkeypatch.setattr(f"{module}.MAX_DELAY_SECONDS", 0)
    monkeypatch.setenv("LOGS_QUEUE_URL", QUEUE_URL)
    monkeypatch.setenv("LOGS_DEAD_LETTER_QUEUE_URL", DEAD_LETTER_QUEUE_URL)
    return fake
