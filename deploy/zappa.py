"""Zappa: its settings for one deployment, and its command line."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.account import Account
from deploy.deployment import Deployment
from deploy.roles import Role
from deploy.target import Target

# Our own entry in zappa_settings.json, because Zappa has no setting for throttling.
THROTTLING = "throttling"


def command(name: str, stage: str, settings: Path) -> list[str]:
    """Return the command line of one of Zappa's commands."""
    return [sys.executable, "-m", "zappa.cli", name, stage, "--settings_file", str(settings)]


def write_settings(
    deployment: Deployment, target: Target, outputs: Mapping[str, str], roles: Mapping[str, Role]
) -> Path:
    """Write `build/STAGE/zappa_settings.json`; return its path.

    It holds the project's zappa_settings.json, and the values that depend on the account and the resources.
    `outputs` are those of the resources stack; `roles` have the function's name as key.
    """
    stage, account = deployment.stage, deployment.account
    settings = stage.settings()
    for name, values in settings.items():
        values.pop(THROTTLING, None)
        values.update(
            aws_region=account.region,
            s3_bucket=outputs["DeploymentBucketName"],
            role_arn=roles[stage.functions[name]].arn,
            runtime=target.runtime,
            architecture=target.architecture,
        )
    _set_web(settings[stage.name]["aws_environment_variables"], account, outputs)
    for values in settings.values():
        # CloudFormation has no empty outputs. An empty name switches digests off.
        values["aws_environment_variables"]["DIGESTS_TABLE"] = outputs.get("DigestsTableName", "")
    for name in (stage.name, stage.exports):
        settings[name]["aws_environment_variables"].update(
            EXPORTS_TABLE=outputs["ExportsTableName"],
            LOGS_EXPORTS_BUCKET=outputs["ExportsBucketName"],
            LOGS_EXPORTS_FUNCTION=stage.exports_function,
        )
    for name in (stage.digests, stage.exports):
        settings[name]["aws_environment_variables"].update(
            LOGS_SORTING_SHARDS=outputs["SortingShards"],
            LOGS_SORTING_SHARDS_READ=outputs["SortingShardsRead"],
        )
    writer_variables = settings[stage.writer]["aws_environment_variables"]
    _set_writer(writer_variables, outputs)
    # The accounts that begin with _ belong to these senders: the site, and the operators.
    own_senders = [roles[stage.web_function].unique_id, outputs.get("OwnSenders")]
    writer_variables["LOGS_OWN_SENDERS"] = ",".join(filter(None, own_senders))
    path = deployment.folder / "zappa_settings.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings, indent=2) + "\n")
    return path


def _set_web(variables: dict[str, str], account: Account, outputs: Mapping[str, str]) -> None:
    """Add the site's hosts, origins, queues, mask and sorting shards. Hosts in the settings stay."""
    hosts = [variables.get("ALLOWED_HOSTS"), account.host_suffix]
    origins = [variables.get("CSRF_TRUSTED_ORIGINS"), *account.origins]
    variables.update(
        ALLOWED_HOSTS=",".join(filter(None, hosts)),
        # For the audit trail and the dead letters, which are masked as the writer masks.
        LOGS_QUEUE_URL=outputs["LogsQueueUrl"],
        LOGS_DEAD_LETTER_QUEUE_URL=outputs["DeadLetterQueueUrl"],
        # CloudFormation has no empty outputs.
        LOGS_MASK=outputs.get("Mask", ""),
        LOGS_SORTING_SHARDS=outputs["SortingShards"],
        LOGS_SORTING_SHARDS_READ=outputs["SortingShardsRead"],
    )
    if any(origins):
        variables["CSRF_TRUSTED_ORIGINS"] = ",".join(filter(None, origins))


def _set_writer(variables: dict[str, str], outputs: Mapping[str, str]) -> None:
    """Add the writer's queues, number of sorting shards, mask and retention."""
    variables.update(
        LOGS_QUEUE_URL=outputs["LogsQueueUrl"],
        LOGS_DEAD_LETTER_QUEUE_URL=outputs["DeadLetterQueueUrl"],
        LOGS_SORTING_SHARDS=outputs["SortingShards"],
        # CloudFormation has no empty outputs.
        LOGS_MASK=outputs.get("Mask", ""),
    )
    if outputs["RetentionDays"] != "0":
        variables["LOGS_RETENTION_DAYS"] = outputs["RetentionDays"]
