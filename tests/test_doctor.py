"""`manage.py doctor`: a line for each part, and status 1 where one is not as it should be."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import boto3
import pytest
from django.core.management import CommandError, call_command
from pynamodb.models import Model

from ingest.wire import sqs
from ingest.worker import Worker
from ingest.writing import items as writer
from logs.models import LogItem
from logsite.accounts.store import SessionItem
from logsite.doctor import mapping as doctor_mapping
from logsite.doctor import queues as doctor_queues
from tests.lambda_server import Lambda, serving
from tests.queues import Queues

pytest_plugins = ["tests.sqs_server"]
pytestmark = pytest.mark.usefixtures("logs_table")

DAY = 86_400


def arn(queues: Queues, url: str) -> str:
    """Return the ARN of one of the queues."""
    answer = queues.client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return answer["Attributes"]["QueueArn"]


def set_queue(queues: Queues, url: str, **attributes: str) -> None:
    """Change a queue."""
    queues.client.set_queue_attributes(QueueUrl=url, Attributes=attributes)  # type: ignore[arg-type]  # a name each


@pytest.fixture
def wired(queues: Queues) -> Queues:
    """Wire the two queues as a deployment does."""
    policy = {"deadLetterTargetArn": arn(queues, queues.dead_letter_url), "maxReceiveCount": 5}
    set_queue(queues, queues.url, VisibilityTimeout="361", RedrivePolicy=json.dumps(policy))
    set_queue(queues, queues.dead_letter_url, MessageRetentionPeriod=str(14 * DAY))
    return queues


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lambda]:
    """Lead the doctor to a Lambda API."""
    with serving() as known:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", known.endpoint)
        yield known


@pytest.fixture
def mapped(wired: Queues, functions: Lambda) -> dict[str, Any]:
    """Map the queue to a writer as a deployment does; return the mapping."""
    function = "arn:aws:lambda:us-east-1:123456789012:function:logsite-dev-writer"
    variables = {"LOGS_TABLE": LogItem.Meta.table_name}
    functions.functions[function] = {"Timeout": 60, "Environment": {"Variables": variables}}
    mapping = {
        "UUID": "the-mapping",
        "EventSourceArn": arn(wired, wired.url),
        "FunctionArn": function,
        "State": "Enabled",
        "MaximumBatchingWindowInSeconds": 1,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }
    functions.mappings.append(mapping)
    return mapping


@pytest.fixture
def worker(wired: Queues) -> Iterator[Worker]:
    """Run a writer beside the test."""
    worker = Worker(sqs.client(), wired.url, wait=1)
    thread = threading.Thread(target=worker.run)
    thread.start()
    yield worker
    worker.stop()
    thread.join(10)


def examine(timeout: float = 20, **options: Any) -> list[str]:
    """Return what the doctor says of a healthy site."""
    output = StringIO()
    call_command("doctor", timeout=timeout, stdout=output, **options)
    return output.getvalue().splitlines()


def faults(timeout: float = 0.01) -> list[str]:
    """Return the lines of what fails, but for the round trip, which no writer answers here."""
    output = StringIO()
    with pytest.raises(CommandError, match=r"^\d+ of \d+ failed\.$"):
        call_command("doctor", timeout=timeout, stdout=output)
    lines = [line for line in output.getvalue().splitlines() if line.startswith("FAIL")]
    return [line for line in lines if "cannot be read after" not in line]


@pytest.mark.usefixtures("worker", "mapped")
def test_a_healthy_site_is_fine_all_through() -> None:
    lines = examine()
    assert {line.split()[0] for line in lines} == {"OK"}
    assert [" ".join(line.split(": ")[0].split()[1:]) for line in lines][4:] == [
        "Queue",
        "Dead-letter queue",
        "Redrive policy",
        "Retention",
        "Clock",
        "Mapping the-mapping",
        "Visibility timeout",
        "Round trip",
    ]


@pytest.mark.usefixtures("worker", "wired")
def test_on_a_laptop_the_worker_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    lines = examine()
    assert [line for line in lines if not line.startswith("OK ")] == [
        "NOTE Mapping: there is no Lambda beside this SQS: `python -m ingest.worker` feeds the writer"
    ]


@pytest.mark.usefixtures("worker", "wired")
def test_the_log_that_it_sends_is_gone_after_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    examine()
    [item] = LogItem.scan(LogItem.account_id == "_logsite")
    assert (item.type, item.sub_type) == ("logsite", "doctor")
    assert item.expires_at is not None
    assert abs(item.expires_at - item.received_at - timedelta(days=1)) < timedelta(seconds=1)


@pytest.mark.usefixtures("worker", "mapped")
def test_a_log_that_the_listing_would_not_read_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "SORTING_SHARDS", 4)
    [line] = faults(timeout=20)
    assert re.search(r"Round trip: the log \w+ is stored as \w+#\d, which the listing does not read", line)
    assert "Set LOGS_SORTING_SHARDS_READ" in line


@pytest.mark.usefixtures("worker", "wired")
def test_scripts_may_have_it_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    told = [json.loads(line) for line in examine(json=True)]
    assert {finding["verdict"] for finding in told} == {"OK", "NOTE"}
    assert told[-1]["what"] == "Round trip"


@pytest.mark.usefixtures("mapped")
def test_without_a_writer_the_log_does_not_arrive() -> None:
    output, told = StringIO(), StringIO()
    with pytest.raises(CommandError, match=r"^1 of 12 failed\.$"):
        call_command("doctor", timeout=1.5, stdout=output, stderr=told)
    assert re.fullmatch(r"Round trip: the log \w+ is sent, and has 1\.5 s to arrive\.\n", told.getvalue())
    last = output.getvalue().splitlines()[-1]
    assert last.startswith("FAIL Round trip: the log ")
    assert "cannot be read after 1.5 s. Is the writer running?" in last


@pytest.mark.usefixtures("mapped")
@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        ("", "the queue has none"),
        ('{"deadLetterTargetArn": "OTHER", "maxReceiveCount": 5}', "it leads to arn:aws:sqs:"),
        ('{"deadLetterTargetArn": "DEAD", "maxReceiveCount": 1}', "maxReceiveCount is 1"),
    ],
)
def test_a_queue_that_is_not_wired_to_its_dead_letters_is_found(
    wired: Queues, policy: str, problem: str
) -> None:
    ours = policy.replace("OTHER", arn(wired, wired.url)).replace("DEAD", arn(wired, wired.dead_letter_url))
    set_queue(wired, wired.url, RedrivePolicy=ours)
    [line] = faults()
    assert line.startswith("FAIL Redrive policy: " + problem)


@pytest.mark.parametrize("types", [[], None])
def test_a_mapping_that_does_not_report_failures_is_found(mapped: dict[str, Any], types: Any) -> None:
    mapped["FunctionResponseTypes"] = types
    [line] = faults()
    assert line.startswith(
        "FAIL Mapping the-mapping: it has no ReportBatchItemFailures: SQS deletes the mess"
    )


@pytest.mark.parametrize("state", ["Disabled", "Disabling", "Deleting"])
def test_a_mapping_that_is_disabled_is_found(mapped: dict[str, Any], state: str) -> None:
    mapped["State"] = state
    [line] = faults()
    assert line.startswith(f"FAIL Mapping the-mapping: it is {state}: logs wait in the queue.")


def test_a_mapping_that_is_on_its_way_is_no_fault(mapped: dict[str, Any]) -> None:
    mapped["State"] = "Updating"
    assert faults() == []


@pytest.mark.usefixtures("wired", "functions")
def test_a_queue_that_nothing_reads_is_found() -> None:
    [line] = faults()
    assert line.startswith("FAIL Mapping: nothing reads arn:aws:sqs:")


@pytest.mark.usefixtures("mapped")
def test_a_visibility_timeout_below_six_times_the_writers_and_the_window_is_found(wired: Queues) -> None:
    set_queue(wired, wired.url, VisibilityTimeout="360")
    [line] = faults()
    assert line.startswith(
        "FAIL Visibility timeout: it is 360 s, the writer's timeout 60 s, the batching window"
    )
    assert "Set it to 361 s or more" in line


def test_a_second_mapping_of_the_queue_is_found(mapped: dict[str, Any], functions: Lambda) -> None:
    functions.mappings.append({**mapped, "UUID": "another"})
    [line] = faults()
    assert line.startswith("FAIL Mapping: 2 mappings share the queue")


def test_a_writer_of_another_table_is_found(mapped: dict[str, Any], functions: Lambda) -> None:
    functions.functions[mapped["FunctionArn"]]["Environment"] = {"Variables": {"LOGS_TABLE": "Another"}}
    [line] = faults()
    assert line.startswith("FAIL Mapping to logsite-dev-writer: its LOGS_TABLE is 'Another', and ")


@pytest.mark.usefixtures("mapped")
def test_an_endpoint_of_aws_itself_is_no_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_LAMBDA")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "https://vpce-1.sqs.eu-central-1.vpce.amazonaws.com")
    assert not doctor_mapping.is_without_lambda()
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9324")
    assert doctor_mapping.is_without_lambda()


@pytest.mark.usefixtures("mapped")
def test_dead_letters_that_are_kept_no_longer_than_logs_wait_are_found(wired: Queues) -> None:
    set_queue(wired, wired.dead_letter_url, MessageRetentionPeriod=str(4 * DAY))
    [line] = faults()
    assert line.startswith("FAIL Retention: the dead-letter queue keeps messages for 4 days, the queue for 4")


@pytest.mark.usefixtures("mapped")
@pytest.mark.parametrize(("seconds", "way"), [(90, "90 s ahead of"), (-90, "90 s behind")])
def test_a_clock_that_is_wrong_is_found(monkeypatch: pytest.MonkeyPatch, seconds: int, way: str) -> None:
    second = datetime.now(UTC).replace(microsecond=0)
    described = doctor_queues.describe

    def at_another_time(variable: str) -> Any:
        queue = described(variable)
        assert queue is not None
        assert queue.answered_at is not None
        assert abs(queue.answered_at - second) < timedelta(minutes=1)
        return doctor_queues.Queue(
            queue.url, queue.attributes, queue.answered_at, queue.answered_at + timedelta(seconds=seconds)
        )

    monkeypatch.setattr(doctor_queues, "describe", at_another_time)
    [line] = faults()
    assert line == f"FAIL Clock: this machine is {way} AWS. Set its clock, by NTP."


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[type[Model]], str]]:
    """Return what gives a model an empty table of this test's own, with the key alone."""
    client = boto3.client("dynamodb")
    made: list[str] = []

    def bare(model: type[Model]) -> str:
        name = f"Bare{uuid4().hex}"
        [key] = [each.attr_name for each in model.get_attributes().values() if each.is_hash_key]
        client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        made.append(name)
        monkeypatch.setattr(model.Meta, "table_name", name)
        return name

    yield bare
    for name in made:
        client.delete_table(TableName=name)


@pytest.mark.usefixtures("mapped")
def test_missing_indexes_are_found(table: Callable[[type[Model]], str]) -> None:
    name = table(LogItem)
    lines = faults()
    for index in ("AccountIndex", "AccountTypeIndex", "SortingIndex", "TypeIndex"):
        assert any(line.startswith(f"FAIL Table {name}: the index {index} is missing") for line in lines)


def test_a_table_without_ttl_is_found(mapped: dict[str, Any], table: Callable[[type[Model]], str]) -> None:
    name = table(SessionItem)
    assert faults() == [
        f"FAIL Table {name}: TTL is off. Turn it on for expires_at: `manage.py create_tables` does."
    ]


@pytest.mark.usefixtures("mapped")
def test_a_table_that_is_not_there_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SessionItem.Meta, "table_name", "NoSuchTable")
    [line] = faults()
    assert line.startswith("FAIL Table NoSuchTable: is missing. Deploy, or run `manage.py create_tables`")


def test_settings_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOGS_QUEUE_URL", raising=False)
    monkeypatch.delenv("LOGS_DEAD_LETTER_QUEUE_URL", raising=False)
    lines = faults()
    assert [line.split(": ")[0] for line in lines] == [
        "FAIL Queue", "FAIL Dead-letter queue", "FAIL Mapping", "FAIL Round trip"
    ]  # fmt: skip


@pytest.mark.usefixtures("wired")
def test_what_aws_refuses_is_a_line_and_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGS_QUEUE_URL", "http://127.0.0.1:9/123456789012/Nowhere")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9")
    lines = faults()
    assert [line.split(": ")[0] for line in lines] == ["FAIL Queues", "FAIL Mapping", "FAIL Round trip"]
    assert "Could not connect" in lines[0]
