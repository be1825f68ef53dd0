"""`manage.py doctor`: a line per check, and the exit status 1 if one fails."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pynamodb.models import Model

from ingest.writing import items as writer
from logs.models import INDEXES, LogItem
from logsite.accounts.store import SessionItem
from logsite.doctor import event_source_mapping
from logsite.doctor import queues as doctor_queues
from tests.doctor import DAY, faults, queue_arn, run_doctor, set_queue
from tests.lambda_server import Lambda
from tests.queues import Queues

pytest_plugins = ["tests.sqs_server", "tests.doctor_fixtures"]
pytestmark = pytest.mark.usefixtures("logs_table")


@pytest.mark.usefixtures("worker", "mapping", "finished_run")
def test_healthy_site_passes_every_check() -> None:
    lines = run_doctor()
    assert {line.split()[0] for line in lines} == {"OK"}
    assert [" ".join(line.split(": ")[0].split()[1:]) for line in lines][7:] == [
        "Digests",
        "Queue",
        "Dead-letter queue",
        "Redrive policy",
        "Retention",
        "Clock",
        "Mapping the-mapping",
        "Visibility timeout",
        "Round trip",
    ]


@pytest.mark.usefixtures("worker", "queue_pair", "finished_run")
def test_emulator_without_lambda_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    lines = run_doctor()
    assert [line for line in lines if not line.startswith("OK ")] == [
        "NOTE Mapping: this SQS has no Lambda: `python -m ingest.worker` polls the queue instead"
    ]


@pytest.mark.usefixtures("worker", "queue_pair")
def test_round_trip_log_expires_after_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    run_doctor()
    [item] = LogItem.scan(LogItem.account_id == "_logsite")
    assert (item.type, item.sub_type) == ("logsite", "doctor")
    assert item.expires_at is not None
    assert abs(item.expires_at - item.received_at - timedelta(days=1)) < timedelta(seconds=1)


@pytest.mark.usefixtures("worker", "mapping")
def test_round_trip_outside_the_listing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "SORTING_SHARDS", 4)
    [line] = faults(timeout=20)
    assert re.search(
        r"Round trip: the log \w+ is stored with the status \w+#\d, which the listing does not read", line
    )
    assert "Set LOGS_SORTING_SHARDS_READ" in line


@pytest.mark.usefixtures("worker", "queue_pair")
def test_json_option_prints_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    results = [json.loads(line) for line in run_doctor(json=True)]
    assert {result["verdict"] for result in results} == {"OK", "NOTE"}
    assert results[-1]["what"] == "Round trip"


@pytest.mark.usefixtures("mapping")
def test_round_trip_without_a_writer_fails() -> None:
    output, errors = StringIO(), StringIO()
    with pytest.raises(CommandError, match=r"^1 of 16 checks failed\.$"):
        call_command("doctor", timeout=1.5, stdout=output, stderr=errors)
    progress = r"Round trip: sent the log \w+, waiting up to 1\.5 s for it\.\n"
    assert re.fullmatch(progress, errors.getvalue())
    last = output.getvalue().splitlines()[-1]
    assert last.startswith("FAIL Round trip: the log ")
    assert "is not readable after 1.5 s. Is the writer running?" in last


@pytest.mark.usefixtures("mapping")
@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        ("", "the queue has no redrive policy"),
        ('{"deadLetterTargetArn": "OTHER", "maxReceiveCount": 5}', "deadLetterTargetArn is arn:aws:sqs:"),
        ('{"deadLetterTargetArn": "DEAD", "maxReceiveCount": 1}', "maxReceiveCount is 1"),
    ],
)
def test_wrong_redrive_policy_fails(queue_pair: Queues, policy: str, problem: str) -> None:
    other, dead = queue_arn(queue_pair, queue_pair.url), queue_arn(queue_pair, queue_pair.dead_letter_url)
    set_queue(queue_pair, queue_pair.url, RedrivePolicy=policy.replace("OTHER", other).replace("DEAD", dead))
    [line] = faults()
    assert line.startswith("FAIL Redrive policy: " + problem)


@pytest.mark.parametrize("types", [[], None])
def test_mapping_without_failure_reports_fails(mapping: dict[str, Any], types: Any) -> None:
    mapping["FunctionResponseTypes"] = types
    [line] = faults()
    assert line.startswith(
        "FAIL Mapping the-mapping: it has no ReportBatchItemFailures: SQS deletes the mess"
    )


@pytest.mark.parametrize("state", ["Disabled", "Disabling", "Deleting"])
def test_disabled_mapping_fails(mapping: dict[str, Any], state: str) -> None:
    mapping["State"] = state
    [line] = faults()
    assert line.startswith(f"FAIL Mapping the-mapping: its state is {state}: logs wait in the queue.")


def test_updating_mapping_is_no_fault(mapping: dict[str, Any]) -> None:
    mapping["State"] = "Updating"
    assert faults() == []


@pytest.mark.usefixtures("queue_pair", "functions")
def test_queue_without_mapping_fails() -> None:
    [line] = faults()
    assert line.startswith("FAIL Mapping: no event source mapping reads arn:aws:sqs:")


@pytest.mark.usefixtures("mapping")
def test_short_visibility_timeout_fails(queue_pair: Queues) -> None:
    set_queue(queue_pair, queue_pair.url, VisibilityTimeout="360")
    [line] = faults()
    assert line.startswith(
        "FAIL Visibility timeout: it is 360 s, the writer's timeout 60 s, the batching window"
    )
    assert "Set it to 361 s or more" in line


def test_second_mapping_fails(mapping: dict[str, Any], functions: Lambda) -> None:
    functions.mappings.append({**mapping, "UUID": "another"})
    [line] = faults()
    assert line.startswith("FAIL Mapping: 2 event source mappings read the queue")


def test_writer_of_another_table_fails(mapping: dict[str, Any], functions: Lambda) -> None:
    functions.functions[mapping["FunctionArn"]]["Environment"] = {"Variables": {"LOGS_TABLE": "Another"}}
    [line] = faults()
    assert line.startswith("FAIL Mapping to logsite-dev-writer: its LOGS_TABLE is 'Another', but ")


@pytest.mark.usefixtures("mapping")
def test_aws_endpoint_is_not_an_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_LAMBDA")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "https://vpce-1.sqs.eu-central-1.vpce.amazonaws.com")
    assert not event_source_mapping.is_without_lambda()
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9324")
    assert event_source_mapping.is_without_lambda()


@pytest.mark.usefixtures("mapping")
def test_short_dead_letter_retention_fails(queue_pair: Queues) -> None:
    set_queue(queue_pair, queue_pair.dead_letter_url, MessageRetentionPeriod=str(4 * DAY))
    [line] = faults()
    assert line.startswith("FAIL Retention: the dead-letter queue keeps messages for 4 days, the queue for 4")


@pytest.mark.usefixtures("mapping")
@pytest.mark.parametrize(
    ("seconds", "difference"), [(90, "90 s ahead of"), (-90, "90 s behind")], ids=["ahead", "behind"]
)
def test_clock_skew_fails(monkeypatch: pytest.MonkeyPatch, seconds: int, difference: str) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    describe = doctor_queues.describe

    def describe_with_skew(variable: str) -> Any:
        queue = describe(variable)
        assert queue is not None
        assert queue.sqs_time is not None
        assert abs(queue.sqs_time - now) < timedelta(minutes=1)
        skewed = queue.sqs_time + timedelta(seconds=seconds)
        return doctor_queues.Queue(queue.url, queue.attributes, queue.sqs_time, skewed)

    monkeypatch.setattr(doctor_queues, "describe", describe_with_skew)
    [line] = faults()
    assert line == f"FAIL Clock: this machine is {difference} AWS. Synchronize its clock, by NTP."


@pytest.mark.usefixtures("mapping")
def test_missing_indexes_fail(table: Callable[[type[Model]], str]) -> None:
    name = table(LogItem)
    lines = faults()
    for index in INDEXES:
        assert any(line.startswith(f"FAIL Table {name}: the index {index} is missing") for line in lines)


@pytest.mark.usefixtures("mapping")
def test_table_without_ttl_fails(table: Callable[[type[Model]], str]) -> None:
    name = table(SessionItem)
    assert faults() == [
        f"FAIL Table {name}: TTL is off. `manage.py create_tables` turns it on for expires_at."
    ]


@pytest.mark.usefixtures("mapping")
def test_missing_table_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SessionItem.Meta, "table_name", "NoSuchTable")
    [line] = faults()
    assert line.startswith(
        "FAIL Table NoSuchTable: the table does not exist. Deploy, run `manage.py create_tables`"
    )


def test_missing_settings_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOGS_QUEUE_URL", raising=False)
    monkeypatch.delenv("LOGS_DEAD_LETTER_QUEUE_URL", raising=False)
    lines = faults()
    assert [line.split(": ")[0] for line in lines] == [
        "FAIL Queue", "FAIL Dead-letter queue", "FAIL Mapping", "FAIL Round trip"
    ]  # fmt: skip


@pytest.mark.usefixtures("queue_pair")
def test_aws_error_does_not_stop_the_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGS_QUEUE_URL", "http://127.0.0.1:9/123456789012/Nowhere")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9")
    lines = faults()
    assert [line.split(": ")[0] for line in lines] == ["FAIL Queues", "FAIL Mapping", "FAIL Round trip"]
    assert "Could not connect" in lines[0]
