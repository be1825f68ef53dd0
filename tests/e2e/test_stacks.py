"""A stack whose creation fails, and a stack with a key."""

from dataclasses import replace

import pytest

from deploy import resources
from deploy.deployment import Deployment
from deploy.errors import StackFailed
from deploy.stacks import Stack
from deploy.stage import Stage
from tests.e2e.deployment import REGION, EmulatedDeployment


def test_failed_creation_names_reason_and_leaves_nothing(
    deployment: EmulatedDeployment, operator: Deployment
) -> None:
    s3, bucket = deployment.client("s3"), f"logsite-other-deploy-{operator.account.number}-{REGION}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    stack = Stack(operator.account, "logsite-other-resources")
    values = {
        "Stage": "other",
        "RetentionDays": "1",
        "MonthlyBudget": "0",
        "Alarms": "plain",
        "TlsOnly": "no",
    }
    try:
        with pytest.raises(StackFailed, match=rf"logsite-other-resources failed: .*{bucket}' already exists"):
            stack.ensure("resources.yaml", values)
    finally:
        s3.delete_bucket(Bucket=bucket)
    assert stack.describe() is None
    tables = deployment.client("dynamodb").list_tables()["TableNames"]
    assert [name for name in tables if "other" in name] == []


def test_stack_with_a_key_encrypts_its_resources(
    deployment: EmulatedDeployment, operator: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The engine of the other tests has no tables of a stage.
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB")
    key = deployment.client("kms").create_key()["KeyMetadata"]["Arn"]
    keyed = replace(operator, stage=Stage("keyed"))
    sqs = deployment.client("sqs")
    try:
        outputs = resources.ensure(keyed, {"RetentionDays": "1", "KmsKeyArn": key})
        # The emulator ignores it for tables and topics. tests/test_deploy_resources.py checks the template.
        for name in ("LogsQueueUrl", "DeadLetterQueueUrl"):
            queue = sqs.get_queue_attributes(QueueUrl=outputs[name], AttributeNames=["All"])["Attributes"]
            assert queue["KmsMasterKeyId"] == key
        assert "byQueue" in queue["RedriveAllowPolicy"]
        groups = deployment.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/logsite-keyed")
        assert [group["kmsKeyId"] for group in groups["logGroups"]] == [key] * 4
    finally:
        resources.delete(keyed)
    assert not resources.exist(keyed)
