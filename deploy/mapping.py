"""The event source mapping between queue and writer, and its stack of mapping.yaml."""

from collections.abc import Mapping
from typing import Any

from deploy.deployment import Deployment

TEMPLATE = "mapping.yaml"
PARAMETERS = {"BatchSize", "BatchingWindow", "MaximumConcurrency"}


def ensure(deployment: Deployment, values: Mapping[str, str]) -> None:
    """Create or update the stack, and revert manual changes to the mapping. Raise StackFailed.

    CloudFormation compares only templates. It would leave a mapping disabled, or without
    ReportBatchItemFailures, and would not recreate a deleted one.
    """
    stack = deployment.mapping_stack
    outputs = stack.outputs()
    if outputs and _describe(deployment, outputs["MappingId"]) is None:
        stack.delete()
    mapping_id = stack.ensure(TEMPLATE, values)["MappingId"]
    parameters = stack.parameters()
    expected_values = {
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "BatchSize": int(parameters["BatchSize"]),
        "MaximumBatchingWindowInSeconds": int(parameters["BatchingWindow"]),
        "ScalingConfig": {"MaximumConcurrency": int(parameters["MaximumConcurrency"])},
    }
    configuration = _describe(deployment, mapping_id) or {}
    differs = configuration.get("State") in ("Disabled", "Disabling") or any(
        configuration.get(name) != value for name, value in expected_values.items()
    )
    # The emulator stores a stack's numbers as text, shows them as numbers, and then cannot calculate.
    if differs or deployment.account.endpoint:
        deployment.client("lambda").update_event_source_mapping(
            UUID=mapping_id, Enabled=True, **expected_values
        )


def states(deployment: Deployment) -> list[str]:
    """Return the state of each mapping of the writer, such as Enabled. Empty if there is no mapping."""
    response = deployment.client("lambda").list_event_source_mappings(
        FunctionName=deployment.stage.writer_function
    )
    return [mapping["State"] for mapping in response["EventSourceMappings"]]


def _describe(deployment: Deployment, mapping_id: str) -> dict[str, Any] | None:
    """Return a mapping's configuration, or None if the mapping does not exist."""
    client = deployment.client("lambda")
    try:
        configuration: dict[str, Any] = client.get_event_source_mapping(UUID=mapping_id)
    except client.exceptions.ResourceNotFoundException:
        return None
    return configuration
