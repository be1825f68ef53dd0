"""The IAM roles of the functions. Each has the least privilege of its deploy/iam-*.json."""

import json
from contextlib import suppress
from pathlib import Path
from string import Template
from typing import Any

from deploy.deployment import Deployment
from deploy.stage import Stage

FOLDER = Path(__file__).resolve().parent
POLICY_NAME = "logsite"
LAMBDA, API_GATEWAY = "lambda.amazonaws.com", "apigateway.amazonaws.com"


def trust_policies(stage: Stage) -> dict[str, dict[str, Any]]:
    """Return the trust policy of each function's role, by the function's name.

    Zappa lets API Gateway invoke the site with the site's role, not with a permission of the function.
    """
    services = {stage.web_function: [LAMBDA, API_GATEWAY], stage.writer_function: [LAMBDA]}
    return {
        function: {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": names}, "Action": "sts:AssumeRole"}],
        }
        for function, names in services.items()
    }


def permission_policies(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """Return the permissions of each function's role, by the function's name."""
    stage, account = deployment.stage, deployment.account
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


def ensure(deployment: Deployment) -> dict[str, str]:
    """Create the roles or update their policies; return the ARNs by the function's name."""
    iam = deployment.client("iam")
    trust = trust_policies(deployment.stage)
    arns = {}
    for function, policy in permission_policies(deployment).items():
        role, trust_policy = _name(deployment, function), json.dumps(trust[function])
        try:
            arns[function] = iam.get_role(RoleName=role)["Role"]["Arn"]
            iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust_policy)
        except iam.exceptions.NoSuchEntityException:
            arns[function] = iam.create_role(
                RoleName=role,
                AssumeRolePolicyDocument=trust_policy,
                Description=f"The Lambda function {function}",
            )["Role"]["Arn"]
        iam.put_role_policy(RoleName=role, PolicyName=POLICY_NAME, PolicyDocument=json.dumps(policy))
    return arns


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
    """Delete both roles if they exist."""
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
