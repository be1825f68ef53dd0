"""CloudFormation stacks. Every operation waits for its end."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from deploy.account import Account
from deploy.errors import StackFailed

FOLDER = Path(__file__).resolve().parent
CAPABILITIES = ["CAPABILITY_NAMED_IAM"]
# A stack whose creation failed can only be deleted. deploy/resources.yaml retains nothing of such a stack,
# and protects no table from deletion before the stack exists.
CREATION_FAILED = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS"}
DELETION_FAILED = "DELETE_FAILED"


@dataclass(frozen=True)
class Stack:
    """A stack by its name. It need not exist."""

    account: Account
    name: str

    def describe(self) -> dict[str, Any] | None:
        """Return the stack's entry of DescribeStacks, or None if the stack does not exist.

        Costs one request, as do the methods that call it.
        """
        try:
            [stack] = self.account.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":
                return None
            raise
        description: dict[str, Any] = stack
        return description

    def status(self) -> str | None:
        """Return the stack's status, or None if the stack does not exist."""
        stack = self.describe()
        return stack["StackStatus"] if stack else None

    def outputs(self) -> dict[str, str]:
        """Return the stack's outputs. Empty if the stack does not exist."""
        stack = self.describe() or {}
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def parameters(self) -> dict[str, str]:
        """Return the values of the stack's parameters. Empty if the stack does not exist."""
        return _parameters(self.describe())

    def was_created(self) -> bool:
        """Return whether the stack exists and its creation did not fail."""
        return self.status() not in {None, *CREATION_FAILED}

    def has_deletion_failed(self) -> bool:
        """Return whether a deletion failed. CloudFormation then accepts only another deletion."""
        return self.status() == DELETION_FAILED

    def ensure(self, template: str, values: Mapping[str, str]) -> dict[str, str]:
        """Create or update the stack from `deploy/TEMPLATE`; return its outputs.

        Parameters that `values` does not name keep their value, or get the template's default. Raise
        StackFailed with CloudFormation's reasons. CloudFormation rolls a failed update back.
        """
        stack = self.describe()
        if stack and stack["StackStatus"] in CREATION_FAILED:
            self.delete()
            stack = None
        if stack and stack["StackStatus"] == DELETION_FAILED:
            raise StackFailed(
                f"The deletion of the stack {self.name} failed. Delete it again: "
                "make undeploy STAGE=… DELETE_DATA=yes"
            )
        token = uuid.uuid4().hex
        request: dict[str, Any] = {
            "StackName": self.name,
            "TemplateBody": (FOLDER / template).read_text(),
            "Capabilities": CAPABILITIES,
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
            "ClientRequestToken": token,
        }
        if stack is None:
            self._create(request)
        else:
            unchanged_names = (
                _parameters(stack).keys() & template_parameters(self.account, template).keys() - values.keys()
            )
            request["Parameters"] += [
                {"ParameterKey": key, "UsePreviousValue": True} for key in sorted(unchanged_names)
            ]
            self._update(request)
        return self.outputs()

    def _create(self, request: Mapping[str, Any]) -> None:
        cloudformation = self.account.client("cloudformation")
        stack_id = cloudformation.create_stack(**request, OnFailure="DELETE")["StackId"]
        # By its id, because CloudFormation finds no deleted stack by its name.
        self._wait(stack_id, "stack_create_complete", request["ClientRequestToken"])

    def _update(self, request: Mapping[str, Any]) -> None:
        try:
            self.account.client("cloudformation").update_stack(**request)
        except ClientError as error:
            if "No updates are to be performed" not in str(error):
                raise StackFailed(f"The stack {self.name} cannot be updated: {error}") from error
        else:
            self._wait(self.name, "stack_update_complete", request["ClientRequestToken"])

    def delete(self) -> None:
        """Delete the stack if it exists. Raise StackFailed with CloudFormation's reasons."""
        stack = self.describe()
        if stack is None:
            return
        token = uuid.uuid4().hex
        self.account.client("cloudformation").delete_stack(StackName=self.name, ClientRequestToken=token)
        self._wait(stack["StackId"], "stack_delete_complete", token)

    def _wait(self, stack_id: str, waiter: str, token: str) -> None:
        """Wait up to 30 minutes for the end of an operation. Raise StackFailed."""
        delay = 1 if self.account.endpoint else 5
        try:
            self.account.client("cloudformation").get_waiter(waiter).wait(
                StackName=stack_id, WaiterConfig={"Delay": delay, "MaxAttempts": 1800 // delay}
            )
        except WaiterError as error:
            reasons = self._failure_reasons(stack_id, token)
            raise StackFailed(f"The stack {self.name} failed: {'; '.join(reasons) or error}") from error

    def _failure_reasons(self, stack_id: str, token: str) -> list[str]:
        """Return why resources failed in the operation with this token, in order of time."""
        cloudformation = self.account.client("cloudformation")
        try:
            events = cloudformation.describe_stack_events(StackName=stack_id)["StackEvents"]
            # Only these hold the errors of CloudFormation's validation, such as a name that is in use.
            validation = cloudformation.describe_events(StackName=stack_id, Filters={"FailedEvents": True})
        except ClientError:
            return []
        reasons = [
            f"{event['LogicalResourceId']}: {event['ValidationStatusReason']}"
            for event in validation["OperationEvents"]
            if event.get("ClientRequestToken", token) == token and event.get("ValidationStatusReason")
        ]
        return reasons or [
            f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
            for event in reversed(events)
            if event["ResourceStatus"].endswith("FAILED")
            and event.get("ClientRequestToken", token) == token
            and event.get("ResourceStatusReason")
        ]


def template_parameters(account: Account, template: str) -> dict[str, str]:
    """Return the types of the parameters of `deploy/TEMPLATE`, by name. Costs one request."""
    summary = account.client("cloudformation").get_template_summary(
        TemplateBody=(FOLDER / template).read_text()
    )
    return {each["ParameterKey"]: each["ParameterType"] for each in summary["Parameters"]}


def _parameters(stack: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the parameters of an entry of DescribeStacks."""
    return {each["ParameterKey"]: each["ParameterValue"] for each in (stack or {}).get("Parameters", [])}
