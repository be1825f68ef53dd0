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
LAMBDA, API_GATEWAY = "lambda.amazonaws.com", "apigateway.amazonaws.com"


def trust(stage: Stage) -> dict[str, dict[str, Any]]:
    """Return who may take each function's role, by the function's name.

    Zappa lets API Gateway call the site with the site's own role, not by a permission of the function.
    """
    services = {stage.web_function: [LAMBDA, API_GATEWAY], stage.writer_function: [LAMBDA]}
    return {
        function: {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": names}, "Action": "sts:AssumeRole"}],
        }
        for function, names in services.items()
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
    """Make each function's role, or give it its present policies; return the ARNs by the function's name."""
    iam = account.client("iam")
    arns = {}
    for function, policy in policies(stage, account).items():
        role = _name(function, account)
        taken_by = json.dumps(trust(stage)[function])
        try:
            arns[function] = iam.get_role(RoleName=role)["Role"]["Arn"]
            iam.update_assume_role_policy(RoleName=role, PolicyDocument=taken_by)
        except iam.exceptions.NoSuchEntityException:
            arns[function] = iam.create_role(
                RoleName=role,
                AssumeRolePolicyDocument=taken_by,
                Description=f"The Lambda function {function}",
            )["Role"]["Arn"]
        iam.put_role_policy(RoleName=role, PolicyName=POLICY_NAME, PolicyDocument=json.dumps(policy))
    return arns


def is_there(stage: Stage, account: Account) -> bool:
    """Tell whether either role is there."""
    iam = account.client("iam")
    for function in stage.functions.values():
        try:
            iam.get_role(RoleName=_name(function, account))
        except iam.exceptions.NoSuchEntityException:
            continue
        return True
    return False


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
