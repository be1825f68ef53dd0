"""A stack that cannot be made."""

import pytest

from deploy import stacks
from deploy.account import Account
from tests.e2e.deployment import REGION, Deployment


def test_it_says_why_and_leaves_nothing(deployment: Deployment, operator: Account) -> None:
    s3, taken = deployment.client("s3"), f"logsite-other-deploy-{operator.number}-{REGION}"
    s3.create_bucket(Bucket=taken, CreateBucketConfiguration={"LocationConstraint": REGION})
    values = {
        "Stage": "other",
        "RetentionDays": "1",
        "MonthlyBudget": "0",
        "Alarms": "plain",
        "TlsOnly": "no",
    }
    try:
        with pytest.raises(
            stacks.StackFailed, match=rf"logsite-other-resources failed: .*{taken}' already exists"
        ):
            stacks.ensure(operator, "logsite-other-resources", "resources.yaml", values)
    finally:
        s3.delete_bucket(Bucket=taken)
    assert stacks.describe(operator, "logsite-other-resources") is None
    tables = deployment.client("dynamodb").list_tables()["TableNames"]
    assert [name for name in tables if "other" in name] == []
