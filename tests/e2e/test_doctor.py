"""`manage.py doctor` against the deployed stage, intact and with missing settings."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.deployment import EmulatedDeployment


@pytest.fixture(scope="module", autouse=True)
def _ttl(deployment: EmulatedDeployment) -> None:
    """Enable TTL. Unlike AWS, the emulator ignores it in the template."""
    run = deployment.command("manage", "--", "create_tables")
    assert run.returncode == 0, run.stderr


def doctor(deployment: EmulatedDeployment) -> subprocess.CompletedProcess[str]:
    return deployment.command("manage", "--", "doctor", "--timeout", "30")


@contextmanager
def without_batch_item_failures(deployment: EmulatedDeployment) -> Iterator[None]:
    """Remove ReportBatchItemFailures from the mapping for the duration of the block."""
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
def without_redrive_policy(deployment: EmulatedDeployment) -> Iterator[None]:
    """Remove the redrive policy from the queue for the duration of the block."""
    sqs, queue = deployment.client("sqs"), deployment.outputs["LogsQueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["RedrivePolicy"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": ""})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=attributes)


def test_doctor_passes_for_intact_deployment(deployment: EmulatedDeployment) -> None:
    run = doctor(deployment)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "FAIL" not in run.stdout
    assert "with ReportBatchItemFailures" in run.stdout


def test_doctor_reports_mapping_without_failures(deployment: EmulatedDeployment) -> None:
    with without_batch_item_failures(deployment):
        run = doctor(deployment)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "it has no ReportBatchItemFailures" in run.stdout


def test_doctor_reports_missing_redrive_policy(deployment: EmulatedDeployment) -> None:
    with without_redrive_policy(deployment):
        run = doctor(deployment)
    assert run.returncode == 1, run.stdout + run.stderr
    [line] = [line for line in run.stdout.splitlines() if "FAIL" in line]
    assert "Redrive policy" in line
