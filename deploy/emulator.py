"""Workarounds for differences between the emulator MiniStack and AWS."""

import json
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from deploy.account import Account
from deploy.errors import CommandFailed


def allow_binary_bodies(account: Account, api_id: str) -> None:
    """Let an API pass binary bodies. Raise CommandFailed if the emulator rejects the request.

    The emulator does not decode `~1` in the path of Zappa's patch. boto3 cannot send this patch, because
    AWS's own API takes only text as the value.
    """
    patch = [{"op": "replace", "path": "/binaryMediaTypes", "value": ["*/*"]}]
    request = AWSRequest(
        method="PATCH",
        url=f"{account.endpoint}/restapis/{api_id}",
        data=json.dumps({"patchOperations": patch}),
        headers={"Content-Type": "application/json"},
    )
    # Never None: every request before this one was signed with them.
    credentials: Any = boto3.session.Session().get_credentials()
    SigV4Auth(credentials, "apigateway", account.region).add_auth(request)
    response = URLLib3Session().send(request.prepare())
    if response.status_code != 200:
        raise CommandFailed(f"The emulator rejects binary bodies for the API {api_id}: {response.text}")


def allow_statements(policy: dict[str, Any]) -> None:
    """Let a role that may insert by PartiQL send a batch of statements.

    AWS checks each statement. The emulator checks another permission, which AWS does not have, on `*`:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html
    """
    if any("dynamodb:PartiQLInsert" in statement["Action"] for statement in policy["Statement"]):
        policy["Statement"].append(
            {
                "Sid": "SendStatementsToTheEmulator",
                "Effect": "Allow",
                "Action": "dynamodb:BatchExecuteStatement",
                "Resource": "*",
            }
        )


# Each permission also allows the batch of its request.
BATCHED = ("sqs:SendMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility")


def allow_batches(policy: dict[str, Any]) -> None:
    """Let a role that may send, delete or hide messages use batches.

    On AWS one permission allows both. The emulator checks another one, which AWS does not have:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
    """
    for statement in policy["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        if batches := [f"{action}Batch" for action in actions if action in BATCHED]:
            statement["Action"] = [*actions, *batches]
