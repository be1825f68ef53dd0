"""`python -m ingest.worker` as a separate process: stores, deletes, retries and stops."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

from ingest.writing.lambda_event import queue_arn, record
from logs.models import LogItem
from logsite.local.ports import free_port
from tests.factories import LOG_ID, make_attribute, make_body, make_record
from tests.items import logs
from tests.queues import Queues, attribute_texts
from tests.slow_server import SlowServer
from tests.waiting import wait_until
from tests.workers import WorkerProcess

pytest_plugins = ["tests.sqs_server"]


@pytest.fixture
def worker(queues: Queues, logs_table: None) -> Iterator[WorkerProcess]:
    with WorkerProcess() as worker:
        wait_until(lambda: bool(worker.log_lines("worker started")))
        yield worker


def test_message_from_boto3_is_stored(worker: WorkerProcess, queues: Queues) -> None:
    queues.send(make_body(id=LOG_ID, payload={"a": [1, None]}))

    wait_until(lambda: queues.count() == 0)
    item = LogItem.get(LOG_ID)
    assert (item.account_id, item.payload) == ("7", '{"a":[1,null]}')


def test_many_messages_are_stored_and_deleted(worker: WorkerProcess, queues: Queues) -> None:
    for number in range(25):
        queues.send(make_body(user_id=number))

    wait_until(lambda: queues.count() == 0)
    assert {item.user_id for item in logs()} == {str(number) for number in range(25)}


def test_batch_is_collected_from_several_responses(queues: Queues, logs_table: None) -> None:
    for number in range(25):
        queues.send(make_body(user_id=number))
    with WorkerProcess("--batch-size", "22", "--wait", "1") as worker:
        wait_until(lambda: queues.count() == 0)
        worker.stop(signal.SIGTERM)
    assert [batch["written"] for batch in worker.log_lines("batch")] == [22, 3]


def test_message_sent_twice_is_stored_once(worker: WorkerProcess, queues: Queues) -> None:
    queues.send(make_body(id=LOG_ID))
    queues.send(make_body(id=LOG_ID))

    wait_until(lambda: queues.count() == 0)
    assert len(logs()) == 1
    assert queues.dead_letters() == []


def test_invalid_message_is_dead_lettered_alone(worker: WorkerProcess, queues: Queues) -> None:
    for body in (make_body(user_id=1), make_body(type="", payload="SECRET"), make_body(user_id=2)):
        queues.send(body, trace="abc")

    wait_until(lambda: queues.count() == 0)
    assert len(logs()) == 2
    [dead_letter] = queues.dead_letters()
    assert attribute_texts(dead_letter)["error-message"] == "type: must be a non-empty text"
    assert attribute_texts(dead_letter)["trace"] == "abc"
    assert "SECRET" not in "".join(worker.output)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopping_interrupts_a_long_poll(number: signal.Signals) -> None:
    """The queue does not respond before the worker has ended."""
    with SlowServer(seconds=600) as queue:
        url = f"{queue.endpoint}/123456789012/slow"
        with WorkerProcess("--queue-url", url, AWS_ENDPOINT_URL_SQS=queue.endpoint) as worker:
            wait_until(lambda: queue.requests >= 1)
            worker.stop(number)
            assert len(worker.log_lines("worker stopped")) == 1


def test_stopping_finishes_the_current_batch(queues: Queues, logs_table: None) -> None:
    """Each put waits, so the signal arrives in the middle of the batch."""
    with SlowServer(seconds=0.5) as store, WorkerProcess(AWS_ENDPOINT_URL_DYNAMODB=store.endpoint) as worker:
        for number in range(3):
            queues.send(make_body(user_id=number))
        wait_until(lambda: store.requests >= 1)
        worker.stop(signal.SIGTERM)

        batches = worker.log_lines("batch")

    assert sum(batch["written"] for batch in batches) == 3 - queues.count()
    assert batches[-1]["written"] == batches[-1]["messages"]


def test_second_signal_finishes_the_current_batch(queues: Queues) -> None:
    with SlowServer(seconds=0.5) as store, WorkerProcess(AWS_ENDPOINT_URL_DYNAMODB=store.endpoint) as worker:
        queues.send(make_body())
        wait_until(lambda: store.requests >= 1)
        worker.process.send_signal(signal.SIGINT)
        worker.stop(signal.SIGTERM)

        assert worker.log_lines("batch")[-1]["written"] == 1


def test_failed_message_stays_until_visibility_timeout(queues: Queues) -> None:
    with WorkerProcess(AWS_ENDPOINT_URL_DYNAMODB=f"http://127.0.0.1:{free_port()}") as worker:
        queues.send(make_body())
        wait_until(lambda: bool(worker.log_lines("batch")))
        worker.stop(signal.SIGTERM)

        assert worker.log_lines("batch")[0]["failed"] == 1
        assert worker.log_lines("failed")[0]["error"] == "EndpointConnectionError"
    assert queues.count() == 1


def test_unreachable_sqs_is_logged_once_and_retried(logs_table: None) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/123456789012/later"
    with WorkerProcess("--queue-url", url, AWS_ENDPOINT_URL_SQS=f"http://127.0.0.1:{port}") as worker:
        wait_until(lambda: bool(worker.log_lines("SQS is unreachable, retrying")))
        time.sleep(2)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
        server.start()
        try:
            client = boto3.client("sqs", endpoint_url=f"http://127.0.0.1:{port}")
            client.create_queue(QueueName="later")
            client.send_message(QueueUrl=url, MessageBody=make_body(id=LOG_ID))
            wait_until(lambda: bool(worker.log_lines("batch")))
        finally:
            worker.stop(signal.SIGTERM)
            server.stop()

        assert LogItem.get(LOG_ID).account_id == "7"
        assert len(worker.log_lines("SQS is unreachable, retrying")) == 1
        assert len(worker.log_lines("SQS is reachable again")) == 1


def test_two_workers_share_a_queue(worker: WorkerProcess, queues: Queues) -> None:
    with WorkerProcess() as other:
        wait_until(lambda: bool(other.log_lines("worker started")))
        for number in range(60):
            queues.send(make_body(user_id=number))
        wait_until(lambda: queues.count() == 0)
        other.stop(signal.SIGTERM)
        worker.stop(signal.SIGINT)

        written = [line["written"] for one in (worker, other) for line in one.log_lines("batch")]
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
def test_command_line_errors_name_the_missing_setting(arguments: list[str], code: int, text: str) -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("LOGS_QUEUE_URL", "AWS_DEFAULT_REGION")
    }

    run = subprocess.run(
        [sys.executable, "-m", "ingest.worker", *arguments], capture_output=True, text=True, env=environment
    )

    assert run.returncode == code
    assert text in run.stdout + run.stderr
    assert "Traceback" not in run.stderr


def test_record_has_the_shape_of_a_lambda_event() -> None:
    expected = make_record(attributes={"log-id": LOG_ID, "raw": b"\xff"})

    result = record(
        {
            "MessageId": expected["messageId"],
            "ReceiptHandle": expected["receiptHandle"],
            "Body": expected["body"],
            "Attributes": expected["attributes"],
            "MD5OfBody": expected["md5OfBody"],
            "MD5OfMessageAttributes": "abc",
            "MessageAttributes": {
                "log-id": {"StringValue": LOG_ID, "DataType": "String"},
                "raw": {"BinaryValue": b"\xff", "DataType": "Binary"},
            },
        },
        "arn:aws:sqs:us-east-1:123456789012:logs",
    )

    assert result == {**expected, "md5OfMessageAttributes": "abc"}
    assert result["messageAttributes"]["raw"] == make_attribute(b"\xff")


def test_queue_arn_is_derived_from_the_url() -> None:
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/logs"

    assert queue_arn(url, "eu-west-1") == "arn:aws:sqs:eu-west-1:123456789012:logs"
    assert queue_arn(url, "cn-north-1", "aws-cn").startswith("arn:aws-cn:sqs:cn-north-1:")
