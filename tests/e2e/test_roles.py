"""Permissions of senders and functions, as IAM enforces them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.e2e.deployment import REGION, EmulatedDeployment, make_log, wait_until


def is_denied(call: Callable[..., Any], **parameters: Any) -> bool:
    with pytest.raises(ClientError) as denial:
        call(**parameters)
    return "AccessDenied" in denial.value.response["Error"]["Code"]


def test_sender_can_only_send(deployment: EmulatedDeployment) -> None:
    log = make_log()
    queue = deployment.outputs["LogsQueueUrl"]
    table = deployment.outputs["LogsTableName"]
    with deployment.iam_user(deployment.outputs["SenderPolicyArn"]) as sender:
        sqs, dynamodb = sender("sqs"), sender("dynamodb")
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(log))
        assert is_denied(sqs.receive_message, QueueUrl=queue)
        assert is_denied(sqs.purge_queue, QueueUrl=queue)
        assert is_denied(
            sqs.send_message, QueueUrl=deployment.outputs["DeadLetterQueueUrl"], MessageBody="{}"
        )
        assert is_denied(dynamodb.get_item, TableName=table, Key={"id": {"S": log["id"]}})
    wait_until(lambda: deployment.has_log(log["id"]), "the sent log is stored")


def test_site_reads_logs_and_sends_the_audit_trail(deployment: EmulatedDeployment) -> None:
    table = deployment.outputs["LogsTableName"]
    key = {"id": {"S": "0" * 32}}
    log = make_log()
    with deployment.iam_user(deployment.role_policy("logsite-dev")) as site:
        dynamodb, sqs = site("dynamodb"), site("sqs")
        dynamodb.get_item(TableName=table, Key=key)
        assert is_denied(dynamodb.put_item, TableName=table, Item=key)
        assert is_denied(dynamodb.delete_item, TableName=table, Key=key)
        assert is_denied(dynamodb.scan, TableName=table)
        views = {"TableName": deployment.outputs["ViewsTableName"]}
        shared = {**views, "Key": {"owner": {"S": "shared"}}}
        dynamodb.get_item(**shared)
        assert is_denied(dynamodb.delete_item, **shared)
        assert is_denied(dynamodb.scan, **views)
        queue, dead_letters = (deployment.outputs[f"{name}QueueUrl"] for name in ("Logs", "DeadLetter"))
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(log))
        assert is_denied(sqs.receive_message, QueueUrl=queue)
        assert is_denied(sqs.purge_queue, QueueUrl=queue)
        assert is_denied(sqs.send_message, QueueUrl=dead_letters, MessageBody="{}")
        assert is_denied(sqs.purge_queue, QueueUrl=dead_letters)
        sqs.receive_message(QueueUrl=dead_letters, VisibilityTimeout=0)
    wait_until(lambda: deployment.has_log(log["id"]), "the sent log is stored")


def test_writer_cannot_delete_or_list_logs(deployment: EmulatedDeployment) -> None:
    table, key = deployment.outputs["LogsTableName"], {"id": {"S": "0" * 32}}
    with deployment.iam_user(deployment.role_policy("logsite-dev-writer")) as writer:
        dynamodb, sqs = writer("dynamodb"), writer("sqs")
        dynamodb.get_item(TableName=table, Key={"id": {"S": "choices"}})
        assert is_denied(dynamodb.delete_item, TableName=table, Key=key)
        requests = {table: [{"DeleteRequest": {"Key": key}}]}
        assert is_denied(dynamodb.batch_write_item, RequestItems=requests)
        deletion = {"Delete": {"TableName": table, "Key": key}}
        assert is_denied(dynamodb.transact_write_items, TransactItems=[deletion])
        statement = f"DELETE FROM \"{table}\" WHERE id = '0'"  # noqa: S608  no user text
        assert is_denied(dynamodb.execute_statement, Statement=statement)
        assert is_denied(dynamodb.scan, TableName=table)
        assert is_denied(sqs.send_message, QueueUrl=deployment.outputs["LogsQueueUrl"], MessageBody="{}")
        assert is_denied(sqs.purge_queue, QueueUrl=deployment.outputs["LogsQueueUrl"])


def test_writer_cannot_read_users_tokens_or_key(deployment: EmulatedDeployment) -> None:
    with deployment.iam_user(deployment.role_policy("logsite-dev-writer")) as writer:
        dynamodb = writer("dynamodb")
        users = {"TableName": deployment.outputs["UsersTableName"], "Key": {"username": {"S": "root"}}}
        assert is_denied(dynamodb.get_item, **users)
        tokens = {"TableName": deployment.outputs["TokensTableName"], "Key": {"name": {"S": "x"}}}
        assert is_denied(dynamodb.get_item, **tokens)
        assert is_denied(writer("ssm").get_parameter, Name="/logsite/dev/secret-key")


@pytest.mark.parametrize("name", ["raw_command", "command", "manage"])
def test_invoking_the_site_executes_no_command(deployment: EmulatedDeployment, name: str) -> None:
    path = deployment.folder / f"executed-{name}"
    events = {
        "raw_command": f"open({str(path)!r}, 'w').close()",
        "command": "logsite.wsgi.get_wsgi_application",
        "manage": "create_user mallory --email mallory@example.com --superuser",
    }
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}],
    }
    with deployment.iam_user(policy) as caller:
        response = caller("lambda").invoke(
            FunctionName="logsite-dev", Payload=json.dumps({name: events[name]})
        )
    assert response["FunctionError"]
    assert "must be a request of API Gateway" in json.load(response["Payload"])["errorMessage"]
    assert not path.exists()


def test_writer_without_permission_loses_nothing(deployment: EmulatedDeployment) -> None:
    iam, sqs = deployment.client("iam"), deployment.client("sqs")
    role = {"RoleName": f"logsite-dev-writer-{REGION}", "PolicyName": "logsite"}
    queue = {"QueueUrl": deployment.outputs["LogsQueueUrl"]}
    policy = deployment.role_policy("logsite-dev-writer")
    # The emulator checks the second one for INSERT statements, AWS the first one.
    writing = {"WriteLogs", "SendStatementsToTheEmulator"}
    weaker = {
        **policy,
        "Statement": [each for each in policy["Statement"] if each["Sid"] not in writing],
    }
    assert len(weaker["Statement"]) == len(policy["Statement"]) - len(writing)
    wait_until(lambda: deployment.message_count() == 0, "the queue is empty")
    dead_letters = deployment.message_count("DeadLetterQueueUrl")
    logs = [make_log(type="denied") for _ in range(3)]

    def in_flight() -> int:
        names = ["ApproximateNumberOfMessagesNotVisible"]
        return int(sqs.get_queue_attributes(**queue, AttributeNames=names)["Attributes"][names[0]])

    with deployment.short_visibility_timeout():
        iam.put_role_policy(**role, PolicyDocument=json.dumps(weaker))
        try:
            deployment.send(*logs)
            wait_until(lambda: in_flight() == 3, "the writer has received all messages")
            wait_until(lambda: in_flight() < 3, "a message is visible again")
            assert deployment.message_count() == len(logs)
            assert not any(deployment.has_log(log["id"]) for log in logs)
        finally:
            iam.put_role_policy(**role, PolicyDocument=json.dumps(policy))
        wait_until(lambda: all(deployment.has_log(log["id"]) for log in logs), "all logs are stored")
    assert deployment.message_count("DeadLetterQueueUrl") == dead_letters
