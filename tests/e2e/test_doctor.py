"""`manage.py doctor` against the deployed stage, whole and with what it exists to find."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.deployment import Deployment


@pytest.fixture(scope="module", autouse=True)
def _ttl(deployment: Deployment) -> None:
    """Turn TTL on: the emulator does not take it from the template, as AWS does."""
    run = deployment.command("manage", "--", "create_tables")
    assert run.returncode == 0, run.stderr


def doctor(deployment: Deployment) -> subprocess.CompletedProcess[str]:
    return deployment.command("manage", "--", "doctor", "--timeout", "30")


@contextmanager
def without_reported_failures(deployment: Deployment) -> Iterator[None]:
    """Take ReportBatchItemFailures from the mapping meanwhile."""
    client = deployment.client("lambda")
    arn = deployment.outputs["LogsQueueArn"]
    [mapping] = client.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
    client.update_event_source_mapping(UUID=mapping["UUID"], FunctionResponseTypes=[])
    try:
        yield
    finally:
        client.update_event_source_mapping(
            UUID=mapping["UUID"], FunctionResponseTypes=["ReportBatchItemFailures"]
        )


@contextmanager
def without_redrive(deployment: Deployment) -> Iterator[None]:
    """Take the redrive policy from the queue meanwhile."""
    sqs, queue = deployment.client("sqs"), deployment.outputs["LogsQueueUrl"]
    usual = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["RedrivePolicy"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": ""})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=usual)


def test_it_finds_nothing_wrong_with_what_was_deployed(deployment: Deployment) -> None:
    run = doctor(deployment)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "FAIL" not in run.stdout
    assert "with ReportBatchItemFailures" in run.stdout


def test_it_finds_a_mapping_that_reports_no_failures(deployment: Deployment) -> None:
    with without_reported_failures(deployment):
        run = doctor(deployment)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "it has no ReportBatchItemFailures" in run.stdout


def test_it_finds_a_missing_redrive_policy(deployment: Deployment) -> None:
    with without_redrive(deployment):
        run = doctor(deployment)
    assert run.returncode == 1, run.stdout + run.stderr
    [line] = [line for line in run.stdout.splitlines() if "FAIL" in line]
    assert "Redrive policy" in line
