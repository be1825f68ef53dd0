"""SECRET_KEY in SSM Parameter Store. The first deployment generates it; it is never stored locally."""

import secrets

from deploy.deployment import Deployment


def ensure(deployment: Deployment) -> bool:
    """Generate the stage's SECRET_KEY unless it exists; return whether it was generated."""
    ssm = deployment.client("ssm")
    try:
        ssm.put_parameter(
            Name=deployment.stage.secret_parameter,
            Value=secrets.token_urlsafe(64),
            Type="SecureString",
            Description="Signs the sessions and cursors of Logsite",
        )
    except ssm.exceptions.ParameterAlreadyExists:
        return False
    return True


def exists(deployment: Deployment) -> bool:
    """Return whether the stage has a SECRET_KEY, without reading it."""
    by_name = {"Key": "Name", "Values": [deployment.stage.secret_parameter]}
    response = deployment.client("ssm").describe_parameters(ParameterFilters=[by_name])
    return bool(response["Parameters"])


def delete(deployment: Deployment) -> None:
    """Delete the stage's SECRET_KEY if it exists."""
    ssm = deployment.client("ssm")
    try:
        ssm.delete_parameter(Name=deployment.stage.secret_parameter)
    except ssm.exceptions.ParameterNotFound:
        return
