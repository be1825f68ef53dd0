"""The functions' roles: one each, with its own least privilege of deploy/iam-*.json and no more."""

import json
from pathlib import Path
from string import Template
from typing import Any

from botocore.exceptions import ClientError

from deploy.account import Account
from deploy.stage import Stage

FOLDER = Path(__file__).resolve().parent
POLICY_NAME = "logsite"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def policies(stage: Stage, account: Account) -> dict[str, dict[str, Any]]:
    """Return the policy of each function's role, by the function's name."""
    values = {
        "Stage": stage.name,
        "Account": account.number,
        "Region": account.region,
        "Partition": account.partition,
    }
    files = {stage.web_function: "iam-web.json", stage.writer_function: "iam-writer.json"}
    return {
        function: json.loads(Template((FOLDER / file).read_text()).substitute(values))
        for function, file in files.items()
    }


def ensure(stage: Stage, account: Account) -> dict[str, str]:
    """Make each function's role, or give it its present policy; return the ARNs by the function's name."""
    iam = account.client("iam")
    arns = {}
    for function, policy in policies(stage, account).items():
        role = _name(function, account)
        try:
            arns[function] = iam.get_role(RoleName=role)["Role"]["Arn"]
        except iam.exceptions.NoSuchEntityException:
            arns[function] = iam.create_role(
                RoleName=role,
                AssumeRolePolicyDocument=json.dumps(TRUST),
                Description=f"The Lambda function {function}",
            )["Role"]["Arn"]
        iam.put_role_policy(RoleName=role, PolicyName=POLICY_NAME, PolicyDocument=json.dumps(policy))
    return arns


def delete(stage: Stage, account: Account) -> None:
    """Delete both roles, where they are there."""
    iam = account.client("iam")
    for function in stage.functions.values():
        role = _name(function, account)
        try:
            iam.delete_role_policy(RoleName=role, PolicyName=POLICY_NAME)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchEntity":
                raise
        try:
            iam.delete_role(RoleName=role)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchEntity":
                raise


def _name(function: str, account: Account) -> str:
    # Roles belong to no region: a stage of the same name may stand in another one.
    return f"{function}-{account.region}"
