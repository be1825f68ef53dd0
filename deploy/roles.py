"""The IAM roles of the functions. Each has the least privilege of its deploy/iam-*.json."""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from deploy import emulator
from deploy.deployment import Deployment

FOLDER = Path(__file__).resolve().parent
POLICY_NAME = "logsite"
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
KEY_ACTIONS = (
    *("CreateGrant", "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey"),
    *("GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo"),
)
LAMBDA, API_GATEWAY = "lambda.amazonaws.com", "apigateway.amazonaws.com"


def trust_policies(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """Return the trust policy of each function's role, by the function's name.

    Zappa lets API Gateway invoke the site with the site's role, not with a permission of the function.
    A service must act for this account, if it names one. API Gateway names none for the role of an
    integration: with a plain StringEquals, every page would be a 500. Source: pull request 479 of
    aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws.
    """
    stage = deployment.stage
    condition = {"StringEqualsIfExists": {"aws:SourceAccount": deployment.account.number}}
    services = {function: [LAMBDA] for function in stage.functions.values()}
    services[stage.web_function].append(API_GATEWAY)
    return {
        function: {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": names},
                    "Action": "sts:AssumeRole",
                    "Condition": condition,
                }
            ],
        }
        for function, names in services.items()
    }


@dataclass(frozen=True)
class Role:
    """A role that exists. `unique_id` begins with AROA, and is never used again after a deletion."""

    arn: str
    unique_id: str


def permission_policies(deployment: Deployment, key: str = "") -> dict[str, dict[str, Any]]:
    """Return the permissions of each function's role, by the function's name.

    `key` is the ARN of the KMS key of tables, queues and buckets. Empty if AWS's own keys encrypt them.
    """
    stage, account = deployment.stage, deployment.account
    values = {
        "Stage": stage.name,
        "Account": account.number,
        "Region": account.region,
        "Partition": account.partition,
    }
    files = {
        stage.web_function: "iam-web.json",
        stage.writer_function: "iam-writer.json",
        stage.digests_function: "iam-digests.json",
        stage.exports_function: "iam-exports.json",
    }
    policies: dict[str, dict[str, Any]] = {
        function: json.loads(Template((FOLDER / file).read_text()).substitute(values))
        for function, file in files.items()
    }
    if account.endpoint:
        for policy in policies.values():
            emulator.allow_batches(policy)
            emulator.allow_statements(policy)
    if key:
        services = {
            stage.web_function: ["dynamodb", "sqs", "s3"],
            stage.writer_function: ["dynamodb", "sqs"],
            stage.digests_function: ["dynamodb"],
            stage.exports_function: ["dynamodb", "s3"],
        }
        for function, policy in policies.items():
            policy["Statement"].append(_key_statement(deployment, key, services[function]))
    return policies


def _key_statement(deployment: Deployment, key: str, services: list[str]) -> dict[str, Any]:
    """Return the permission to use the key through these services, and in no other way."""
    account = deployment.account
    hosts = [f"{service}.{account.region}.{account.domain}" for service in services]
    return {
        "Sid": "UseTheKey",
        "Effect": "Allow",
        "Action": [f"kms:{action}" for action in KEY_ACTIONS],
        "Resource": key,
        "Condition": {"StringEquals": {"kms:ViaService": hosts}},
    }


def ensure(deployment: Deployment, key: str = "") -> dict[str, Role]:
    """Create the roles or update their policies; return the roles by the function's name."""
    iam = deployment.client("iam")
    trust = trust_policies(deployment)
    existing = {}
    for function, policy in permission_policies(deployment, key).items():
        role, trust_policy = _name(deployment, function), json.dumps(trust[function])
        try:
            description = iam.get_role(RoleName=role)["Role"]
            iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust_policy)
        except iam.exceptions.NoSuchEntityException:
            description = iam.create_role(
                RoleName=role,
                AssumeRolePolicyDocument=trust_policy,
                Description=f"The Lambda function {function}",
            )["Role"]
        iam.put_role_policy(RoleName=role, PolicyName=POLICY_NAME, PolicyDocument=json.dumps(policy))
        existing[function] = Role(description["Arn"], description["RoleId"])
    return existing


def exist(deployment: Deployment) -> bool:
    """Return whether at least one of the roles exists."""
    iam = deployment.client("iam")
    for function in deployment.stage.functions.values():
        try:
            iam.get_role(RoleName=_name(deployment, function))
        except iam.exceptions.NoSuchEntityException:
            continue
        return True
    return False


def delete(deployment: Deployment) -> None:
    """Delete the roles that exist."""
    iam = deployment.client("iam")
    for function in deployment.stage.functions.values():
        role = _name(deployment, function)
        with suppress(iam.exceptions.NoSuchEntityException):
            iam.delete_role_policy(RoleName=role, PolicyName=POLICY_NAME)
        with suppress(iam.exceptions.NoSuchEntityException):
            iam.delete_role(RoleName=role)


def _name(deployment: Deployment, function: str) -> str:
    # IAM has no regions, and another region may have a stage of the same name.
    return f"{function}-{deployment.account.region}"
