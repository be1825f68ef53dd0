"""Messages that inflate in memory fail alone. The writer has the memory of its Lambda function."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from ingest.handler import lambda_handler
from ingest.messages import MAX_NODES, InvalidMessage, parse
from ingest.sending.size import compress as make_client_body
from ingest.writing import items
from ingest.writing.lambda_event import record
from logs.models import LogItem
from logs.storage import documents
from logs.storage.items import get
from tests import limited_process
from tests.bombs import MESSAGE_SHAPES, make_bomb
from tests.dead_letters import ARN
from tests.factories import NO_FAILURES, make_body, make_event, make_record
from tests.items import logs
from tests.lambda_context import LambdaContext
from tests.queues import Queues, attribute_texts
from tests.waiting import wait_until
from tests.workers import WorkerProcess

pytest_plugins = ["tests.sqs_server"]
pytestmark = pytest.mark.usefixtures("logs_table")

BATCH_SIZE = 50
# Of a function with 512 MiB. The rest is for Lambda's runtime.
MAX_PEAK_MIB = 420

WRITER = """
os.environ["AWS_ENDPOINT_URL_SQS"] = os.environ["TEST_SQS"]
os.environ["LOGS_QUEUE_URL"] = os.environ["TEST_QUEUE"]
os.environ["LOGS_DEAD_LETTER_QUEUE_URL"] = os.environ["TEST_DEAD_LETTER_QUEUE"]
from ingest.handler import lambda_handler
from tests.lambda_context import LambdaContext
with open(os.environ["TEST_EVENT"]) as file:
    result = lambda_handler(json.load(file), LambdaContext(600))
"""


COMMAND = (
    WRITER.split("from ingest.handler")[0]
    + """
import io
from contextlib import redirect_stdout
from ingest.__main__ import main
from ingest.cli.dlq import queue
queue.WAIT_SECONDS = 0
output = io.StringIO()
with redirect_stdout(output):
    status = main(["dead-letters", *json.load(open(os.environ["TEST_EVENT"]))])
result = {"status": status, "output": output.getvalue()}
"""
)


@pytest.fixture
def writer(queues: Queues, tmp_path: Path) -> Any:
    """Return a function that runs the writer, or another program, in a limited process."""

    def run(event: Any, program: str = WRITER) -> Any:
        (tmp_path / "event.json").write_text(json.dumps(event))
        result, peak = limited_process.run(
            program,
            TEST_SQS=os.environ["AWS_ENDPOINT_URL_SQS"],
            TEST_QUEUE=queues.url,
            TEST_DEAD_LETTER_QUEUE=queues.dead_letter_url,
            TEST_EVENT=str(tmp_path / "event.json"),
        )
        assert peak < MAX_PEAK_MIB
        return result

    return run


def make_bombs(count: int) -> list[str]:
    """Return bombs of all shapes, compressed and plain, in the payload and in an unknown field."""
    shapes = list(MESSAGE_SHAPES)
    return [
        make_bomb(
            shapes[number % len(shapes)],
            field="payload" if number % 3 else "form",
            is_compressed=number % 2 == 0 or number < 2,
            user_id=f"bomb-{number}",
        )
        for number in range(count)
    ]


def test_bombs_fail_no_innocent_log(writer: Any, queues: Queues) -> None:
    count = 8
    innocents = [make_body(user_id=f"innocent-{number}") for number in range(BATCH_SIZE - count)]
    bombs = make_bombs(count)

    assert writer(make_event(*bombs, *innocents)) == NO_FAILURES

    stored = {item.user_id for item in logs()}
    rejected = queues.dead_letters()
    assert {f"innocent-{number}" for number in range(BATCH_SIZE - count)} <= stored
    assert len(stored) + len(rejected) == BATCH_SIZE
    assert {dead_letter["Body"] for dead_letter in rejected} <= set(bombs)
    assert all(attribute_texts(dead_letter)["error-code"] for dead_letter in rejected)


def test_wrapped_bombs_fail_no_innocent_log(writer: Any, queues: Queues) -> None:
    """Bombs of 16 MiB in SNS notifications, one of lone surrogates, and wrapped bombs of 1 MiB."""
    halves = make_body(payload="X").replace("X", r"\ud800" * 1_300_000)
    escapes = make_bomb("escapes", is_compressed=False)
    logs_ = [halves, escapes, make_bomb("numbers", is_compressed=False), make_body(text='"' * 3_000_000)]
    bombs = [make_client_body(json.dumps({"Type": "Notification", "Message": log})) for log in logs_]
    plain = [json.dumps({"detail-type": "x", "detail": escapes[:500_000]}) for _ in range(16)]

    assert writer(make_event(*filter(None, bombs), *plain, make_body(user_id="innocent"))) == NO_FAILURES

    assert len(logs()) + len(queues.dead_letters()) == len(bombs) + len(plain) + 1
    assert "innocent" in {item.user_id for item in logs()}


def test_six_honest_logs_of_11_mb_are_stored(writer: Any) -> None:
    rows = [{"id": number, "name": f"row {number}", "tags": ["a", "b"]} for number in range(12_000)]
    payload = {"rows": rows, "text": "an honest sentence. " * 500_000}
    bodies = [make_compressed(user_id=f"honest-{number}", payload=payload) for number in range(6)]

    assert writer(make_event(*bodies)) == NO_FAILURES

    items_ = logs()
    assert {item.user_id for item in items_} == {f"honest-{number}" for number in range(6)}
    assert documents.content(whole(items_[0])).payload == payload


def test_conflict_with_a_bomb_takes_no_more_memory(writer: Any, queues: Queues) -> None:
    log_id = "0" * 32
    lambda_handler(make_event(make_bomb("wide", field="form", id=log_id)), LambdaContext(600))
    small = [make_body(id=log_id, user_id=number, text="x" * 2_000) for number in range(6)]

    assert writer(make_event(*small, make_bomb("strings", field="form", id=log_id))) == NO_FAILURES

    assert len(logs()) == 1
    assert {attribute_texts(each)["error-code"] for each in queues.dead_letters()} == {"id_conflict"}


def test_masking_takes_no_more_memory(writer: Any) -> None:
    bombs = [make_bomb(shape, token="x") for shape in ("escapes", "wide")]
    assert writer(make_event(*bombs)) == NO_FAILURES

    assert [documents.content(whole(item)).extra for item in logs()] == [{"token": "***"}] * 2


def test_redelivery_deletes_written_messages_first(queues: Queues, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first large message kills the process, at each delivery."""
    bodies = [make_body(user_id=f"innocent-{number}") for number in range(10)]
    for body in [make_bomb("numbers", user_id="poison"), *bodies]:
        queues.send(body)
    event = {"Records": [record(message, ARN) for message in queues.messages()]}
    for each in event["Records"]:
        each["attributes"]["ApproximateReceiveCount"] = "2"
    to_item = items.to_item

    def kill(message: Any, envelope: Any) -> LogItem:
        if message.user_id == "poison":
            raise KeyboardInterrupt  # like a kill: nothing after it runs
        return to_item(message, envelope)

    monkeypatch.setattr(items, "to_item", kill)
    with pytest.raises(KeyboardInterrupt):
        lambda_handler(event, LambdaContext(600))

    assert {item.user_id for item in logs()} == {f"innocent-{number}" for number in range(10)}
    assert queues.count() == 1


def test_first_delivery_deletes_nothing(queues: Queues) -> None:
    for body in [make_bomb("numbers"), make_body()]:
        queues.send(body)
    event = {"Records": [record(message, ARN) for message in queues.messages()]}

    lambda_handler(event, LambdaContext(600))

    assert queues.count() == 2


def test_large_messages_without_time_are_redelivered(queues: Queues) -> None:
    bombs = [make_record(make_bomb("numbers")) for _ in range(2)]

    response = lambda_handler(make_event(*bombs, make_record()), LambdaContext(12, seconds_per_call=0.7))

    assert len(logs()) >= 1
    failed = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
    assert failed & {bomb["messageId"] for bomb in bombs}
    assert failed <= {bomb["messageId"] for bomb in bombs}


def test_commands_show_bombs_within_the_limit(writer: Any, queues: Queues) -> None:
    for body in [make_bomb("wide"), make_bomb("wide")]:
        queues.client.send_message(QueueUrl=queues.dead_letter_url, MessageBody=body)

    listing = writer(["list"], COMMAND)
    ids = [line.split()[0] for line in listing["output"].splitlines()[1:]]

    assert listing["status"] == 0
    assert len(ids) == 2
    assert len(listing["output"]) < 1_000
    details = writer(["show", ids[0]], COMMAND)
    assert details["status"] == 0
    assert len(details["output"]) < 1_000_000


def test_poison_message_of_a_worker_fails_alone(queues: Queues) -> None:
    bodies = [make_body(user_id=f"innocent-{number}") for number in range(10)]
    for body in [make_bomb("numbers", user_id="poison"), *bodies]:
        queues.send(body)
    arn = queues.client.get_queue_attributes(QueueUrl=queues.dead_letter_url, AttributeNames=["QueueArn"])
    policy = {"deadLetterTargetArn": arn["Attributes"]["QueueArn"], "maxReceiveCount": 2}
    queues.client.set_queue_attributes(
        QueueUrl=queues.url, Attributes={"RedrivePolicy": json.dumps(policy), "VisibilityTimeout": "4"}
    )

    for _ in range(2):
        with WorkerProcess("--batch-size", "50", module="tests.poisoned_worker") as worker:
            assert worker.process.wait(60) == -signal.SIGKILL, worker.output
    with WorkerProcess("--wait", "1", module="tests.poisoned_worker"):
        wait_until(lambda: queues.count() == 0, "SQS moves the poison message", seconds=30)

    assert {item.user_id for item in logs()} == {f"innocent-{number}" for number in range(10)}
    assert queues.count_dead() == 1


@pytest.mark.parametrize("is_compressed", [True, False])
def test_too_many_values_are_stored_as_text(is_compressed: bool) -> None:
    message = parse(make_bomb("lists", is_compressed=is_compressed))

    assert isinstance(message.payload, str)
    assert message.payload.startswith("[[],[],")
    assert message.account_id == "7"


def test_values_within_the_limit_are_parsed() -> None:
    payload = list(range(MAX_NODES - 10))

    assert parse(make_body(payload=payload)).payload == payload


def test_unparsed_member_is_the_largest_one() -> None:
    message = parse(make_body(payload={"a": [1]}, small=[2], big=[[]] * MAX_NODES))

    assert message.payload == {"a": [1]}
    assert message.model_extra is not None
    assert message.model_extra["small"] == [2]
    assert json.loads(message.model_extra["big"]) == [[]] * MAX_NODES


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (make_body(url=[[]] * MAX_NODES), "invalid_fields"),
        ("[" + "[]," * MAX_NODES + "[]]", "not_an_object"),
        ("[" * 300_000, "not_an_object"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "not_json"),
        (make_body(payload=[[]] * MAX_NODES)[:-1], "not_json"),
        ("," * 300_000, "not_json"),
        ('{"_deflate":' + json.dumps([[]] * MAX_NODES) + "}", "not_deflated"),
        (make_body(**{f"field-{number}": 1 for number in range(MAX_NODES)}), "too_many_fields"),
    ],
    ids=lambda value: value if len(value) < 20 else "",
)
def test_bomb_that_is_no_log_has_a_reason(body: str, code: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        parse(body)

    assert caught.value.code == code


def make_compressed(**changes: Any) -> str:
    """Return a message that the client compressed."""
    compressed = make_client_body(make_body(**changes))
    assert compressed is not None
    return compressed


def whole(item: LogItem) -> LogItem:
    """Return an item of a scan with its parts."""
    stored = get(item.id)
    assert stored is not None
    return stored
