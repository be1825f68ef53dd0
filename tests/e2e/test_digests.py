"""The digests builder as it is deployed: function, schedule and role. The parameter Digests switches it."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deploy import schedule
from deploy.deployment import Deployment
from tests.e2e.deployment import EmulatedDeployment, make_log, wait_until
from tests.e2e.test_roles import is_denied

FUNCTION = "logsite-dev-digests"


@pytest.fixture(scope="module", autouse=True)
def digests(deployment: EmulatedDeployment) -> str:
    """Switch digests on, unless they are; return the name of their table."""
    if "DigestsTableName" not in deployment.outputs:
        deployment.up("--set", "Digests=on")
    return deployment.outputs["DigestsTableName"]


def invoke(deployment: EmulatedDeployment) -> dict[str, Any]:
    """Invoke the builder as the schedule does; return its response."""
    response = deployment.client("lambda").invoke(FunctionName=FUNCTION, Payload=b"{}")
    payload: dict[str, Any] = json.load(response["Payload"])
    assert "FunctionError" not in response, payload
    return payload


def test_builder_runs_with_its_role(deployment: EmulatedDeployment, digests: str) -> None:
    log = make_log()
    deployment.send(log)
    wait_until(lambda: deployment.has_log(log["id"]), "the log is stored")

    assert invoke(deployment)["is_finished"] is True

    key = {"partition": {"S": "builder"}, "sort": {"S": "state"}}
    state = deployment.client("dynamodb").get_item(TableName=digests, Key=key)["Item"]
    assert state["written_at"]["S"]


def test_schedule_may_invoke_the_builder(deployment: EmulatedDeployment) -> None:
    events, functions = deployment.client("events"), deployment.client("lambda")
    rule = events.describe_rule(Name=FUNCTION)
    assert (rule["State"], rule["ScheduleExpression"]) == ("ENABLED", "rate(5 minutes)")
    [target] = events.list_targets_by_rule(Rule=FUNCTION)["Targets"]
    configuration = functions.get_function_configuration(FunctionName=FUNCTION)
    assert target["Arn"] == configuration["FunctionArn"]
    [statement] = json.loads(functions.get_policy(FunctionName=FUNCTION)["Policy"])["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert rule["Arn"] in json.dumps(statement["Condition"])
    retries = functions.get_function_event_invoke_config(FunctionName=FUNCTION, Qualifier="$LATEST")
    assert int(retries["MaximumRetryAttempts"]) == 0


def test_builder_cannot_change_logs_or_read_users(deployment: EmulatedDeployment, digests: str) -> None:
    table, key = deployment.outputs["LogsTableName"], {"id": {"S": "0" * 32}}
    with deployment.iam_user(deployment.role_policy(FUNCTION)) as builder:
        dynamodb = builder("dynamodb")
        dynamodb.get_item(TableName=table, Key=key)
        assert is_denied(dynamodb.put_item, TableName=table, Item=key)
        assert is_denied(dynamodb.delete_item, TableName=table, Key=key)
        assert is_denied(dynamodb.scan, TableName=table)
        users = {"TableName": deployment.outputs["UsersTableName"], "Key": {"username": {"S": "root"}}}
        assert is_denied(dynamodb.get_item, **users)
        assert is_denied(
            builder("sqs").send_message, QueueUrl=deployment.outputs["LogsQueueUrl"], MessageBody="{}"
        )
        assert is_denied(builder("ssm").get_parameter, Name="/logsite/dev/secret-key")


def test_site_only_reads_digests(deployment: EmulatedDeployment, digests: str) -> None:
    key = {"partition": {"S": "days"}, "sort": {"S": "2026-11-25"}}
    with deployment.iam_user(deployment.role_policy("logsite-dev")) as site:
        dynamodb = site("dynamodb")
        dynamodb.get_item(TableName=digests, Key=key)
        assert is_denied(dynamodb.put_item, TableName=digests, Item=key)
        assert is_denied(dynamodb.delete_item, TableName=digests, Key=key)


def test_deploying_reverts_changes_of_the_schedule(
    deployment: EmulatedDeployment, operator: Deployment
) -> None:
    events, functions = deployment.client("events"), deployment.client("lambda")

    def permissions() -> list[str]:
        policy = json.loads(functions.get_policy(FunctionName=FUNCTION)["Policy"])
        return [statement["Sid"] for statement in policy["Statement"]]

    events.disable_rule(Name=FUNCTION)
    schedule.ensure(operator, deployment.outputs)
    assert schedule.state(operator) == "rate(5 minutes), ENABLED"

    events.remove_targets(Rule=FUNCTION, Ids=["builder"])
    events.delete_rule(Name=FUNCTION)
    with pytest.raises(ClientError):
        events.describe_rule(Name=FUNCTION)
    schedule.ensure(operator, deployment.outputs)
    assert schedule.state(operator) == "rate(5 minutes), ENABLED"
    assert len(events.list_targets_by_rule(Rule=FUNCTION)["Targets"]) == 1

    [permission] = permissions()
    functions.remove_permission(FunctionName=FUNCTION, StatementId=permission)
    schedule.ensure(operator, deployment.outputs)
    assert len(permissions()) == 1
