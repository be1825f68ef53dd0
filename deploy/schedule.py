"""The schedule of the digests builder, and its stack of schedule.yaml."""

from collections.abc import Mapping
from typing import Any

from deploy.deployment import Deployment

TEMPLATE = "schedule.yaml"
# The value of the parameter Digests of resources.yaml that switches digests off.
OFF = "off"


def is_on(outputs: Mapping[str, str]) -> bool:
    """Return whether the stage has digests. `outputs` are those of the resources stack."""
    return "DigestsTableName" in outputs


def ensure(deployment: Deployment, outputs: Mapping[str, str]) -> None:
    """Create or update the stack, and revert manual changes to the rule. Raise StackFailed.

    CloudFormation compares only templates. It would leave a rule disabled, and would not recreate a deleted
    one, or the permission of a function that was deleted.
    """
    stack = deployment.schedule_stack
    if stack.describe() is not None and not (_rule(deployment) and _may_invoke(deployment)):
        stack.delete()
    stack.ensure(TEMPLATE, {"Stage": deployment.stage.name, "AlarmTopicArn": outputs["AlarmTopicArn"]})
    rule = _rule(deployment) or {}
    if rule.get("State") == "DISABLED":
        deployment.client("events").enable_rule(Name=rule["Name"])


def state(deployment: Deployment) -> str:
    """Return the rule's schedule and state, such as `rate(5 minutes), ENABLED`, or `missing`."""
    rule = _rule(deployment)
    return f"{rule['ScheduleExpression']}, {rule['State']}" if rule else "missing"


def _may_invoke(deployment: Deployment) -> bool:
    """Return whether EventBridge may invoke the function."""
    client = deployment.client("lambda")
    try:
        policy: str = client.get_policy(FunctionName=deployment.stage.digests_function)["Policy"]
    except client.exceptions.ResourceNotFoundException:
        return False
    return "events.amazonaws.com" in policy


def _rule(deployment: Deployment) -> dict[str, Any] | None:
    """Return the rule's description, or None if the rule does not exist."""
    client = deployment.client("events")
    try:
        # The rule has the name of the function that it invokes.
        rule: dict[str, Any] = client.describe_rule(Name=deployment.stage.digests_function)
    except client.exceptions.ResourceNotFoundException:
        return None
    return rule
