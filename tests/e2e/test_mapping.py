"""The mapping between queue and writer, where somebody changed or deleted it: `make deploy` puts it right."""

from typing import Any

from deploy import mapping
from deploy.account import Account
from tests.e2e.deployment import Deployment


def the_mapping(deployment: Deployment) -> dict[str, Any]:
    [found] = deployment.client("lambda").list_event_source_mappings(
        EventSourceArn=deployment.outputs["LogsQueueArn"]
    )["EventSourceMappings"]
    made: dict[str, Any] = found
    return made


def values(deployment: Deployment) -> dict[str, str]:
    outputs = {key: deployment.outputs[key] for key in ("LogsQueueArn", "LogsQueueName", "AlarmTopicArn")}
    return {**outputs, "Stage": "dev", "Alarms": "plain", "MaximumConcurrency": "2"}


def test_what_was_changed_is_as_it_was(deployment: Deployment, operator: Account) -> None:
    before = the_mapping(deployment)
    deployment.client("lambda").update_event_source_mapping(
        UUID=before["UUID"], Enabled=False, BatchSize=1, FunctionResponseTypes=[]
    )
    mapping.ensure(deployment.stage, operator, values(deployment))
    after = the_mapping(deployment)
    assert after["UUID"] == before["UUID"]
    assert after["State"] == "Enabled"
    for name in ("BatchSize", "FunctionResponseTypes", "ScalingConfig", "MaximumBatchingWindowInSeconds"):
        assert after[name] == before[name], name


def test_what_was_deleted_is_made_anew(deployment: Deployment, operator: Account) -> None:
    before = the_mapping(deployment)
    deployment.client("lambda").delete_event_source_mapping(UUID=before["UUID"])
    mapping.ensure(deployment.stage, operator, values(deployment))
    after = the_mapping(deployment)
    assert after["UUID"] != before["UUID"]
    assert (after["State"], after["FunctionResponseTypes"]) == ("Enabled", ["ReportBatchItemFailures"])
