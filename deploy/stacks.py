"""CloudFormation stacks: made, changed, read and taken down, each to its end."""

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from deploy.account import Account

FOLDER = Path(__file__).resolve().parent
CAPABILITIES = ["CAPABILITY_NAMED_IAM"]
# A stack whose making failed can only be deleted; deploy/resources.yaml lets such a one keep nothing.
NEVER_MADE = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS"}


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
    known = {given["ParameterKey"] for given in (stack or {}).get("Parameters", [])}
    body = (FOLDER / template).read_text()
    token = uuid.uuid4().hex
    wanted: dict[str, Any] = {
        "StackName": name,
        "TemplateBody": body,
        "Capabilities": CAPABILITIES,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
        "ClientRequestToken": token,
    }
    if stack is None:
        cloudformation.create_stack(**wanted, OnFailure="DELETE")
        _wait(account, name, "stack_create_complete", token)
        return outputs(account, name)
    declared = {
        given["ParameterKey"]
        for given in cloudformation.get_template_summary(TemplateBody=body)["Parameters"]
    }
    wanted["Parameters"] += [
        {"ParameterKey": key, "UsePreviousValue": True} for key in sorted(known & declared - values.keys())
    ]
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
    if describe(account, name) is None:
        return
    token = uuid.uuid4().hex
    account.client("cloudformation").delete_stack(StackName=name, ClientRequestToken=token)
    _wait(account, name, "stack_delete_complete", token)


def _wait(account: Account, name: str, waiter: str, token: str) -> None:
    cloudformation = account.client("cloudformation")
    delay = 1 if account.endpoint else 5
    try:
        cloudformation.get_waiter(waiter).wait(
            StackName=name, WaiterConfig={"Delay": delay, "MaxAttempts": 1800 // delay}
        )
    except WaiterError as error:
        reasons = _reasons(account, name, token)
        raise StackFailed(f"The stack {name} failed: {'; '.join(reasons) or error}") from error


def _reasons(account: Account, name: str, token: str) -> list[str]:
    """Return why resources of a stack failed in the operation of this token, the first reason first."""
    try:
        events = account.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    except ClientError:
        return []
    return [
        f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
        for event in reversed(events)
        if event["ResourceStatus"].endswith("FAILED")
        and event.get("ClientRequestToken", token) == token
        and event.get("ResourceStatusReason")
    ]
