"""`python -m deploy status`: show stacks, functions, queues and alarms."""

import argparse
from typing import TYPE_CHECKING

from deploy import functions, mapping, schedule
from deploy.commands.arguments import add_command
from deploy.deployment import Deployment

if TYPE_CHECKING:
    from deploy.commands.arguments import Subparsers

QUEUES = {"messages in queue": "LogsQueueUrl", "dead letters": "DeadLetterQueueUrl"}
# Visible messages and messages in flight.
COUNTS = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]


def add_parser(subparsers: "Subparsers") -> None:
    """Add `status` to the commands of `python -m deploy`."""
    add_command(subparsers, "status", "show stacks, functions, queues and alarms", run)


def run(deployment: Deployment, options: argparse.Namespace) -> int:
    """Print the status; return the exit status. Raise NotDeployed if the stage is not deployed."""
    outputs = deployment.outputs()
    stage = deployment.stage
    stacks = [deployment.resources_stack, deployment.zappa_stack, deployment.mapping_stack]
    has_digests = schedule.is_on(outputs)
    if has_digests:
        stacks.append(deployment.schedule_stack)
    for stack in stacks:
        _print_row(deployment, stack.name, stack.status() or "missing")
    for function in stage.functions.values():
        _print_row(deployment, function, _function(deployment, function))
    _print_row(deployment, "mapping", ", ".join(mapping.states(deployment)) or "missing")
    _print_row(deployment, "schedule of digests", schedule.state(deployment) if has_digests else "off")
    sqs = deployment.client("sqs")
    for label, key in QUEUES.items():
        counts = sqs.get_queue_attributes(QueueUrl=outputs[key], AttributeNames=COUNTS)["Attributes"]
        _print_row(deployment, label, str(sum(int(count) for count in counts.values())))
    alarms = deployment.client("cloudwatch").describe_alarms(
        AlarmNamePrefix=f"logsite-{stage.name}-", StateValue="ALARM"
    )
    names = [alarm["AlarmName"] for alarm in alarms["MetricAlarms"]]
    _print_row(deployment, "active alarms", ", ".join(names) or "none")
    if functions.exists(deployment, stage.web_function):
        _print_row(deployment, "site", functions.address(deployment))
    return 0


def _function(deployment: Deployment, name: str) -> str:
    """Return a function's runtime, size and time of change."""
    configuration = functions.configuration(deployment, name)
    if configuration is None:
        return "missing"
    size = configuration["CodeSize"] / 2**20
    return f"{configuration['Runtime']}, {size:.1f} MiB, changed {configuration['LastModified']}"


def _print_row(deployment: Deployment, label: str, value: str) -> None:
    deployment.report(f"{label:34}{value}")
