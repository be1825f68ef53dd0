"""CloudFormation stacks: made, changed, read and taken down, each to its end."""

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from deploy.account import Account

FOLDER = Path(__file__).resolve().parent
CAPABILITIES = ["CAPABILITY_NAMED_IAM"]
# A stack whose making failed can only be deleted; deploy/resources.yaml lets such a one keep nothing, and
# protects no table before the stack is made.
NEVER_MADE = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS"}
HALF_DELETED = "DELETE_FAILED"


class StackFailed(Exception):
    """CloudFormation could not do it; the text holds its own reasons."""


def describe(account: Account, name: str) -> dict[str, Any] | None:
    """Return DescribeStacks' answer for a stack, or None where there is none."""
    try:
        [stack] = account.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise
    found: dict[str, Any] = stack
    return found


def outputs(account: Account, name: str) -> dict[str, str]:
    """Return a stack's outputs; none where there is no such stack."""
    stack = describe(account, name) or {}
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def parameters(account: Account, name: str) -> dict[str, str]:
    """Return the values of a stack's parameters; none where there is no such stack."""
    stack = describe(account, name) or {}
    return {given["ParameterKey"]: given["ParameterValue"] for given in stack.get("Parameters", [])}


def is_made(account: Account, name: str) -> bool:
    """Tell whether there is such a stack, and not only what is left of one that could not be made."""
    stack = describe(account, name)
    return stack is not None and stack["StackStatus"] not in NEVER_MADE


def is_half_deleted(account: Account, name: str) -> bool:
    """Tell whether a stack is left whose deletion failed: CloudFormation deletes it, and nothing else."""
    stack = describe(account, name)
    return stack is not None and stack["StackStatus"] == HALF_DELETED


def declared(account: Account, template: str) -> dict[str, str]:
    """Return the types of the parameters of `deploy/TEMPLATE`, by their names."""
    summary = account.client("cloudformation").get_template_summary(
        TemplateBody=(FOLDER / template).read_text()
    )
    return {given["ParameterKey"]: given["ParameterType"] for given in summary["Parameters"]}


def ensure(account: Account, name: str, template: str, values: Mapping[str, str]) -> dict[str, str]:
    """Make a stack of `deploy/TEMPLATE`, or bring it up to date; return its outputs.

    Parameters that `values` does not name keep what they have, or the template's default. Raises
    StackFailed with CloudFormation's reasons; an update that failed has been rolled back.
    """
    cloudformation = account.client("cloudformation")
    stack = describe(account, name)
    if stack and stack["StackStatus"] in NEVER_MADE:
        delete(account, name)
        stack = None
    if stack and stack["StackStatus"] == HALF_DELETED:
        raise StackFailed(f"The stack {name} is half deleted: make undeploy DELETE_DATA=yes goes on with it")
    known = {given["ParameterKey"] for given in (stack or {}).get("Parameters", [])}
    token = uuid.uuid4().hex
    wanted: dict[str, Any] = {
        "StackName": name,
        "TemplateBody": (FOLDER / template).read_text(),
        "Capabilities": CAPABILITIES,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
        "ClientRequestToken": token,
    }
    if stack is None:
        made = cloudformation.create_stack(**wanted, OnFailure="DELETE")
        # By its id: what failed is deleted, and has no name any more.
        _wait(account, made["StackId"], "stack_create_complete", token)
        return outputs(account, name)
    kept = known & declared(account, template).keys() - values.keys()
    wanted["Parameters"] += [{"ParameterKey": key, "UsePreviousValue": True} for key in sorted(kept)]
    try:
        cloudformation.update_stack(**wanted)
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise StackFailed(f"The stack {name} cannot be updated: {error}") from error
    else:
        _wait(account, name, "stack_update_complete", token)
    return outputs(account, name)


def delete(account: Account, name: str) -> None:
    """Take a stack down, where there is one. Raises StackFailed."""
    stack = describe(account, name)
    if stack is None:
        return
    token = uuid.uuid4().hex
    account.client("cloudformation").delete_stack(StackName=name, ClientRequestToken=token)
    _wait(account, stack["StackId"], "stack_delete_complete", token)


def _wait(account: Account, stack_id: str, waiter: str, token: str) -> None:
    cloudformation = account.client("cloudformation")
    delay = 1 if account.endpoint else 5
    try:
        cloudformation.get_waiter(waiter).wait(
            StackName=stack_id, WaiterConfig={"Delay": delay, "MaxAttempts": 1800 // delay}
        )
    except WaiterError as error:
        reasons = _reasons(account, stack_id, token)
        name = stack_id.split("/")[1]
        raise StackFailed(f"The stack {name} failed: {'; '.join(reasons) or error}") from error


def _reasons(account: Account, stack_id: str, token: str) -> list[str]:
    """Return why resources of a stack failed in the operation of this token, the first reason first."""
    cloudformation = account.client("cloudformation")
    try:
        events = cloudformation.describe_stack_events(StackName=stack_id)["StackEvents"]
        # What CloudFormation finds before it begins, as a name that is taken, stands among these alone.
        failed = cloudformation.describe_events(StackName=stack_id, Filters={"FailedEvents": True})
    except ClientError:
        return []
    found = [
        f"{event['LogicalResourceId']}: {event['ValidationStatusReason']}"
        for event in failed["OperationEvents"]
        if event.get("ClientRequestToken", token) == token and event.get("ValidationStatusReason")
    ]
    return found or [
        f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
        for event in reversed(events)
        if event["ResourceStatus"].endswith("FAILED")
        and event.get("ClientRequestToken", token) == token
        and event.get("ResourceStatusReason")
    ]
