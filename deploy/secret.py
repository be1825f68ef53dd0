"""SECRET_KEY: made at the first deploy, kept in SSM Parameter Store, never on this machine."""

import secrets

from deploy.account import Account
from deploy.stage import Stage


def ensure(stage: Stage, account: Account) -> bool:
    """Make the stage's SECRET_KEY where there is none; return whether it was made."""
    ssm = account.client("ssm")
    try:
        ssm.put_parameter(
            Name=stage.secret_parameter,
            Value=secrets.token_urlsafe(64),
            Type="SecureString",
            Description="Signs the sessions and cursors of Logsite",
        )
    except ssm.exceptions.ParameterAlreadyExists:
        return False
    return True


def is_there(stage: Stage, account: Account) -> bool:
    """Tell whether the stage has a SECRET_KEY, without reading it."""
    wanted = {"Key": "Name", "Values": [stage.secret_parameter]}
    return bool(account.client("ssm").describe_parameters(ParameterFilters=[wanted])["Parameters"])


def delete(stage: Stage, account: Account) -> None:
    """Delete the stage's SECRET_KEY, where there is one."""
    ssm = account.client("ssm")
    try:
        ssm.delete_parameter(Name=stage.secret_parameter)
    except ssm.exceptions.ParameterNotFound:
        return
