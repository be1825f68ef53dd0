"""A stack whose creation fails."""

import pytest

from deploy.deployment import Deployment
from deploy.errors import StackFailed
from deploy.stacks import Stack
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
