"""`python -m ingest.worker` as a process of its own: stores, deletes, survives, stops."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import boto3
import pytest
from moto.server import ThreadedMotoServer

from ingest.worker import queue_arn, record
from logs.models import LogItem
from tests.conftest import free_port
from tests.factories import make_attribute, make_body, make_record
from tests.items import logs
from tests.queues import Queues, attribute_texts
from tests.waiting import wait_until
from tests.workers import Worker

pytest_plugins = ["tests.sqs_server"]

HEX = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def worker(queues: Queues, logs_table: None) -> Iterator[Worker]:
    with Worker() as started:
        wait_until(lambda: bool(started.told("worker started")))
        yield started


def test_what_plain_boto3_sends_appears_in_the_table(worker: Worker, queues: Queues) -> None:
    queues.send(make_body(id=HEX, payload={"a": [1, None]}))

    wait_until(lambda: queues.count() == 0)
    item = LogItem.get(HEX)
    assert (item.account_id, item.payload) == ("7", '{"a":[1,null]}')


def test_many_are_stored_and_deleted(worker: Worker, queues: Queues) -> None:
    for number in range(25):
        queues.send(make_body(user_id=number))

    wait_until(lambda: queues.count() == 0)
    assert {item.user_id for item in logs()} == {str(number) for number in range(25)}


def test_a_batch_is_gathered_from_what_is_there(queues: Queues, logs_table: None) -> None:
    for number in range(25):
        queues.send(make_body(user_id=number))
    with Worker("--batch-size", "22", "--wait", "1") as worker:
        wait_until(lambda: queues.count() == 0)
        worker.stop(signal.SIGTERM)
    assert [batch["written"] for batch in worker.told("batch")] == [22, 3]


def test_the_same_message_sent_twice_appears_once(worker: Worker, queues: Queues) -> None:
    queues.send(make_body(id=HEX))
    queues.send(make_body(id=HEX))

    wait_until(lambda: queues.count() == 0)
    assert len(logs()) == 1
    assert queues.dead_letters() == []


def test_a_wrong_one_is_a_dead_letter_and_its_neighbours_are_stored(worker: Worker, queues: Queues) -> None:
    for body in (make_body(user_id=1), make_body(type="", payload="SECRET"), make_body(user_id=2)):
        queues.send(body, trace="abc")

    wait_until(lambda: queues.count() == 0)
    assert len(logs()) == 2
    [letter] = queues.dead_letters()
    assert attribute_texts(letter)["error-message"] == "type: must be a non-empty text"
    assert attribute_texts(letter)["trace"] == "abc"
    assert "SECRET" not in "".join(worker.output)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_in_the_middle_of_a_long_poll(number: signal.Signals) -> None:
    """The queue answers only when the worker has ended."""
    with SlowServer(seconds=600) as queue:
        url = f"{queue.endpoint}/123456789012/slow"
        with Worker("--queue-url", url, AWS_ENDPOINT_URL_SQS=queue.endpoint) as worker:
            wait_until(lambda: queue.requests >= 1)
            worker.stop(number)
            assert len(worker.told("worker stopped")) == 1


def test_it_finishes_the_batch_in_hand(queues: Queues, logs_table: None) -> None:
    """A store that lets each put wait: the signal comes amid the batch."""
    with SlowServer(seconds=0.5) as store, Worker(AWS_ENDPOINT_URL_DYNAMODB=store.endpoint) as worker:
        for number in range(3):
            queues.send(make_body(user_id=number))
        wait_until(lambda: store.requests >= 1)
        worker.stop(signal.SIGTERM)

        batches = worker.told("batch")

    assert sum(batch["written"] for batch in batches) == 3 - queues.count()
    assert batches[-1]["written"] == batches[-1]["messages"]


def test_a_second_signal_does_not_cut_the_batch_off(queues: Queues) -> None:
    with SlowServer(seconds=0.5) as store, Worker(AWS_ENDPOINT_URL_DYNAMODB=store.endpoint) as worker:
        queues.send(make_body())
        wait_until(lambda: store.requests >= 1)
        worker.process.send_signal(signal.SIGINT)
        worker.stop(signal.SIGTERM)

        assert worker.told("batch")[-1]["written"] == 1


def test_what_fails_is_left_to_the_visibility_timeout(queues: Queues) -> None:
    with Worker(AWS_ENDPOINT_URL_DYNAMODB=f"http://127.0.0.1:{free_port()}") as worker:
        queues.send(make_body())
        wait_until(lambda: bool(worker.told("batch")))
        worker.stop(signal.SIGTERM)

        assert worker.told("batch")[0]["failed"] == 1
        assert worker.told("failed")[0]["error"] == "EndpointConnectionError"
    assert queues.count() == 1


def test_it_says_once_that_sqs_is_away_and_goes_on_when_it_is_back(logs_table: None) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/123456789012/later"
    with Worker("--queue-url", url, AWS_ENDPOINT_URL_SQS=f"http://127.0.0.1:{port}") as worker:
        wait_until(lambda: bool(worker.told("SQS is away, trying again")))
        time.sleep(2)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
        server.start()
        try:
            client = boto3.client("sqs", endpoint_url=f"http://127.0.0.1:{port}")
            client.create_queue(QueueName="later")
            client.send_message(QueueUrl=url, MessageBody=make_body(id=HEX))
            wait_until(lambda: bool(worker.told("batch")))
        finally:
            worker.stop(signal.SIGTERM)
            server.stop()

        assert LogItem.get(HEX).account_id == "7"
        assert len(worker.told("SQS is away, trying again")) == 1
        assert len(worker.told("SQS is back")) == 1


def test_two_workers_share_a_queue(worker: Worker, queues: Queues) -> None:
    with Worker() as other:
        wait_until(lambda: bool(other.told("worker started")))
        for number in range(60):
            queues.send(make_body(user_id=number))
        wait_until(lambda: queues.count() == 0)
        other.stop(signal.SIGTERM)
        worker.stop(signal.SIGINT)

        written = [line["written"] for one in (worker, other) for line in one.told("batch")]
    assert sum(written) == len(logs()) == 60


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--help"], 0, "--batch-size"),
        ([], 2, "LOGS_QUEUE_URL"),
        (["--queue-url", "http://127.0.0.1/1/q"], 2, "AWS_DEFAULT_REGION"),
        (["--batch-size", "11"], 2, "--batch-size"),
    ],
)
def test_its_command_line_says_what_is_missing(arguments: list[str], code: int, text: str) -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("LOGS_QUEUE_URL", "AWS_DEFAULT_REGION")
    }

    answer = subprocess.run(
        [sys.executable, "-m", "ingest.worker", *arguments], capture_output=True, text=True, env=environment
    )

    assert answer.returncode == code
    assert text in answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_message_becomes_a_record_in_the_shape_of_lambda() -> None:
    expected = make_record(attributes={"log-id": HEX, "raw": b"\xff"})

    told = record(
        {
            "MessageId": expected["messageId"],
            "ReceiptHandle": expected["receiptHandle"],
            "Body": expected["body"],
            "Attributes": expected["attributes"],
            "MD5OfBody": expected["md5OfBody"],
            "MD5OfMessageAttributes": "abc",
            "MessageAttributes": {
                "log-id": {"StringValue": HEX, "DataType": "String"},
                "raw": {"BinaryValue": b"\xff", "DataType": "Binary"},
            },
        },
        "arn:aws:sqs:us-east-1:123456789012:logs",
    )

    assert told == {**expected, "md5OfMessageAttributes": "abc"}
    assert told["messageAttributes"]["raw"] == make_attribute(b"\xff")


def test_the_arn_comes_from_the_url() -> None:
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/logs"

    assert queue_arn(url, "eu-west-1") == "arn:aws:sqs:eu-west-1:123456789012:logs"
    assert queue_arn(url, "cn-north-1", "aws-cn").startswith("arn:aws-cn:sqs:cn-north-1:")


class SlowServer:
    """In DynamoDB's or SQS's place: answers every request with nothing, after `seconds` or at the end."""

    def __init__(self, seconds: float) -> None:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                server.requests += 1
                server._over.wait(seconds)
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.requests = 0
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
