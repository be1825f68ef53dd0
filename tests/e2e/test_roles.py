"""Who may do what, as IAM enforces it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.e2e.deployment import REGION, Deployment, a_log, wait_until


def is_refused(call: Callable[..., Any], **parameters: Any) -> bool:
    with pytest.raises(ClientError) as refusal:
        call(**parameters)
    return "AccessDenied" in refusal.value.response["Error"]["Code"]


def test_a_sender_may_send_and_nothing_else(deployment: Deployment) -> None:
    log = a_log()
    queue = deployment.outputs["LogsQueueUrl"]
    table = deployment.outputs["LogsTableName"]
    with deployment.someone(deployment.outputs["SenderPolicyArn"]) as sender:
        sqs, dynamodb = sender("sqs"), sender("dynamodb")
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(log))
        assert is_refused(sqs.receive_message, QueueUrl=queue)
        assert is_refused(sqs.purge_queue, QueueUrl=queue)
        assert is_refused(
            sqs.send_message, QueueUrl=deployment.outputs["DeadLetterQueueUrl"], MessageBody="{}"
        )
        assert is_refused(dynamodb.get_item, TableName=table, Key={"id": {"S": log["id"]}})
    wait_until(lambda: deployment.stored(log["id"]), "what they sent is stored")


def test_the_site_can_read_logs_and_write_none(deployment: Deployment) -> None:
    table = deployment.outputs["LogsTableName"]
    key = {"id": {"S": "0" * 32}}
    with deployment.someone(deployment.role_policy("logsite-dev")) as site:
        dynamodb, sqs = site("dynamodb"), site("sqs")
        dynamodb.get_item(TableName=table, Key=key)
        assert is_refused(dynamodb.put_item, TableName=table, Item=key)
        assert is_refused(dynamodb.delete_item, TableName=table, Key=key)
        assert is_refused(dynamodb.scan, TableName=table)
        assert is_refused(sqs.send_message, QueueUrl=deployment.outputs["LogsQueueUrl"], MessageBody="{}")


def test_the_writer_can_read_neither_users_nor_the_key(deployment: Deployment) -> None:
    with deployment.someone(deployment.role_policy("logsite-dev-writer")) as writer:
        dynamodb = writer("dynamodb")
        users = {"TableName": deployment.outputs["UsersTableName"], "Key": {"username": {"S": "root"}}}
        assert is_refused(dynamodb.get_item, **users)
        tokens = {"TableName": deployment.outputs["TokensTableName"], "Key": {"name": {"S": "x"}}}
        assert is_refused(dynamodb.get_item, **tokens)
        assert is_refused(writer("ssm").get_parameter, Name="/logsite/dev/secret-key")


def test_where_the_writer_may_not_write_everything_waits_and_nothing_is_lost(deployment: Deployment) -> None:
    iam, sqs = deployment.client("iam"), deployment.client("sqs")
    role = {"RoleName": f"logsite-dev-writer-{REGION}", "PolicyName": "logsite"}
    queue = {"QueueUrl": deployment.outputs["LogsQueueUrl"]}
    policy = deployment.role_policy("logsite-dev-writer")
    weaker = {
        **policy,
        "Statement": [each for each in policy["Statement"] if each["Action"] != "dynamodb:PutItem"],
    }
    assert len(weaker["Statement"]) == len(policy["Statement"]) - 1
    wait_until(lambda: deployment.waiting() == 0, "nothing waits")
    dead = deployment.waiting("DeadLetterQueueUrl")
    logs = [a_log(type="denied") for _ in range(3)]

    def in_hand() -> int:
        names = ["ApproximateNumberOfMessagesNotVisible"]
        return int(sqs.get_queue_attributes(**queue, AttributeNames=names)["Attributes"][names[0]])

    with deployment.impatience():
        iam.put_role_policy(**role, PolicyDocument=json.dumps(weaker))
        try:
            deployment.send(*logs)
            wait_until(lambda: in_hand() == 3, "the writer has taken all")
            wait_until(lambda: in_hand() < 3, "one has come back")
            assert deployment.waiting() == len(logs)
            assert not any(deployment.stored(log["id"]) for log in logs)
        finally:
            iam.put_role_policy(**role, PolicyDocument=json.dumps(policy))
        wait_until(lambda: all(deployment.stored(log["id"]) for log in logs), "all are stored")
    assert deployment.waiting("DeadLetterQueueUrl") == dead
