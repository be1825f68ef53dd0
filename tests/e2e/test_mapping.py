"""`make deploy` reverts manual changes to the event source mapping."""

from typing import Any

from deploy import mapping
from deploy.deployment import Deployment
from tests.e2e.deployment import EmulatedDeployment


def current_mapping(deployment: EmulatedDeployment) -> dict[str, Any]:
    [mapping] = deployment.client("lambda").list_event_source_mappings(
        EventSourceArn=deployment.outputs["LogsQueueArn"]
    )["EventSourceMappings"]
    configuration: dict[str, Any] = mapping
    return configuration


def values(deployment: EmulatedDeployment) -> dict[str, str]:
    outputs = {key: deployment.outputs[key] for key in ("LogsQueueArn", "LogsQueueName", "AlarmTopicArn")}
    return {**outputs, "Stage": "dev", "Alarms": "plain", "MaximumConcurrency": "2"}


def test_changed_mapping_is_reset(deployment: EmulatedDeployment, operator: Deployment) -> None:
    before = current_mapping(deployment)
    deployment.client("lambda").update_event_source_mapping(
        UUID=before["UUID"], Enabled=False, BatchSize=1, FunctionResponseTypes=[]
    )
    mapping.ensure(operator, values(deployment))
    after = current_mapping(deployment)
    assert after["UUID"] == before["UUID"]
    assert after["State"] == "Enabled"
    for name in ("BatchSize", "FunctionResponseTypes", "ScalingConfig", "MaximumBatchingWindowInSeconds"):
        assert after[name] == before[name], name


def test_deleted_mapping_is_recreated(deployment: EmulatedDeployment, operator: Deployment) -> None:
    before = current_mapping(deployment)
    deployment.client("lambda").delete_event_source_mapping(UUID=before["UUID"])
    mapping.ensure(operator, values(deployment))
    after = current_mapping(deployment)
    assert after["UUID"] != before["UUID"]
    assert (after["State"], after["FunctionResponseTypes"]) == ("Enabled", ["ReportBatchItemFailures"])
