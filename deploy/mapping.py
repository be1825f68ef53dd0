"""The mapping between queue and writer: made by mapping.yaml, and put right where somebody changed it."""

from collections.abc import Mapping
from typing import Any

from deploy import stacks
from deploy.account import Account
from deploy.stage import Stage

TEMPLATE = "mapping.yaml"
PARAMETERS = {"BatchSize", "BatchingWindow", "MaximumConcurrency"}


def ensure(stage: Stage, account: Account, values: Mapping[str, str]) -> None:
    """Make the mapping's stack, or bring it up to date, and the mapping to what the stack says.

    CloudFormation looks at its templates alone: a mapping that was disabled, or lost
    ReportBatchItemFailures, would stay so, and one that was deleted away. Raises StackFailed.
    """
    client = account.client("lambda")

    def find(outputs: Mapping[str, str]) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = client.get_event_source_mapping(UUID=outputs["MappingId"])
        except client.exceptions.ResourceNotFoundException:
            return None
        return found

    before = stacks.outputs(account, stage.mapping_stack)
    if before and find(before) is None:
        stacks.delete(account, stage.mapping_stack)
    outputs = stacks.ensure(account, stage.mapping_stack, TEMPLATE, values)
    given = stacks.parameters(account, stage.mapping_stack)
    wanted = {
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "BatchSize": int(given["BatchSize"]),
        "MaximumBatchingWindowInSeconds": int(given["BatchingWindow"]),
        "ScalingConfig": {"MaximumConcurrency": int(given["MaximumConcurrency"])},
    }
    found = find(outputs) or {}
    differs = found.get("State") in ("Disabled", "Disabling") or any(
        found.get(name) != value for name, value in wanted.items()
    )
    # The emulator makes texts of a stack's numbers, shows them as numbers, and cannot count with them.
    if differs or account.endpoint:
        client.update_event_source_mapping(UUID=outputs["MappingId"], Enabled=True, **wanted)
