"""The two functions and the API, as Zappa makes them."""

import json
import os
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from deploy import emulator, environment, stacks
from deploy.account import Account
from deploy.environment import BuildFailed, Target
from deploy.package import Package, zappa_command
from deploy.stage import Stage

# Ours, in zappa_settings.json: Zappa has no setting for it.
THROTTLING = "throttling"
LATEST = "$LATEST"


def write_settings(
    stage: Stage, account: Account, target: Target, outputs: Mapping[str, str], roles: Mapping[str, str]
) -> Path:
    """Write `build/STAGE/zappa_settings.json`: the project's, and what depends on account and resources."""
    settings = stage.settings()
    for name, values in settings.items():
        values.pop(THROTTLING, None)
        values.update(
            aws_region=account.region,
            s3_bucket=outputs["DeploymentBucketName"],
            role_arn=roles[stage.functions[name]],
            runtime=target.runtime,
            architecture=target.architecture,
        )
    _set_web(settings[stage.name]["aws_environment_variables"], account, outputs)
    _set_writer(settings[stage.writer]["aws_environment_variables"], outputs)
    path = stage.folder / "zappa_settings.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings, indent=2) + "\n")
    return path


def _set_web(variables: dict[str, str], account: Account, outputs: Mapping[str, str]) -> None:
    """Name what the site reads, and the names under which it is reached, beside those in the settings."""
    hosts = [variables.get("ALLOWED_HOSTS"), account.host_suffix]
    origins = [variables.get("CSRF_TRUSTED_ORIGINS"), *account.origins]
    variables.update(
        ALLOWED_HOSTS=",".join(filter(None, hosts)),
        LOGS_SORTING_SHARDS=outputs["SortingShards"],
        LOGS_SORTING_SHARDS_READ=outputs["SortingShardsRead"],
    )
    if any(origins):
        variables["CSRF_TRUSTED_ORIGINS"] = ",".join(filter(None, origins))


def _set_writer(variables: dict[str, str], outputs: Mapping[str, str]) -> None:
    """Name what the writer writes to, and how."""
    variables.update(
        LOGS_DEAD_LETTER_QUEUE_URL=outputs["DeadLetterQueueUrl"], LOGS_SORTING_SHARDS=outputs["SortingShards"]
    )
    if outputs["RetentionDays"] != "0":
        variables["LOGS_RETENTION_DAYS"] = outputs["RetentionDays"]


def deploy(stage: Stage, account: Account, settings: Path, package: Package, bucket: str) -> str:
    """Make or update both functions side by side, then the API; return the site's address.

    Raises BuildFailed, with Zappa's own words.
    """
    account.client("s3").upload_file(str(package.path), bucket, package.key)
    with ThreadPoolExecutor(2) as pool:
        for done in [
            pool.submit(_deploy_one, account, settings, name, function, f"s3://{bucket}/{package.key}")
            for name, function in stage.functions.items()
        ]:
            done.result()
    throttle(stage, account)
    if account.endpoint:
        emulator.mend_api(account, api_id(stage, account))
    return address(stage, account)


def _deploy_one(account: Account, settings: Path, name: str, function: str, source: str) -> None:
    command = "update" if exists(account, function) else "deploy"
    _zappa(command, name, settings, "--zip", source)
    client = account.client("lambda")
    updated = client.get_waiter("function_updated_v2")
    updated.wait(FunctionName=function)
    # Zappa keeps each variable that a function ever had: one that the settings do not name any more as well.
    wanted = json.loads(settings.read_text())[name]["aws_environment_variables"]
    if client.get_function_configuration(FunctionName=function)["Environment"]["Variables"] != wanted:
        client.update_function_configuration(FunctionName=function, Environment={"Variables": wanted})
        updated.wait(FunctionName=function)


def _zappa(command: str, name: str, settings: Path, *options: str) -> None:
    environment.run(
        [*zappa_command(command, name, settings), *options],
        cwd=settings.parent,
        environment={"VIRTUAL_ENV": os.environ.get("VIRTUAL_ENV", str(settings.parent))},
    )


def exists(account: Account, function: str) -> bool:
    """Tell whether there is a function of this name."""
    return configuration(account, function) is not None


def configuration(account: Account, function: str) -> dict[str, Any] | None:
    """Return a function's configuration, or None where there is none."""
    client = account.client("lambda")
    try:
        found: dict[str, Any] = client.get_function_configuration(FunctionName=function)
    except client.exceptions.ResourceNotFoundException:
        return None
    return found


def roll_back(stage: Stage, account: Account, versions: int) -> None:
    """Let both functions run the code that they ran `versions` deployments ago.

    Not by Zappa's rollback, which calls it a success where there is no such version. Raises BuildFailed, also
    where they ran another Python or processor then: Lambda's rollback of code does not change these.
    """
    client = account.client("lambda")
    earlier: dict[str, str] = {}
    for function in stage.functions.values():
        pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=function)
        found = {each["Version"]: each for page in pages for each in page["Versions"]}
        kept = sorted(found.keys() - {LATEST}, key=int, reverse=True)
        if len(kept) <= versions:
            raise BuildFailed(f"{function} has {len(kept) - 1} earlier versions, not {versions}")
        earlier[function] = kept[versions]
        runs, ran = (_platform(found[version]) for version in (LATEST, kept[versions]))
        if runs != ran:
            raise BuildFailed(
                f"{function} ran on {ran} then, and runs on {runs} now, where that code does not start. "
                f"Check the earlier commit out, and deploy it."
            )
    for function, version in earlier.items():
        code = client.get_function(FunctionName=function, Qualifier=version)["Code"]["Location"]
        with urllib.request.urlopen(code, timeout=60) as answer:  # noqa: S310  an address that Lambda gave
            client.update_function_code(FunctionName=function, ZipFile=answer.read(), Publish=True)
        client.get_waiter("function_updated_v2").wait(FunctionName=function)


def _platform(configuration: Mapping[str, Any]) -> str:
    return f"{configuration['Runtime']}, {' '.join(configuration.get('Architectures', ['x86_64']))}"


def undeploy(stage: Stage, account: Account, settings: Path) -> None:
    """Take both functions and the API down, as far as they are there."""
    with ThreadPoolExecutor(2) as pool:
        for done in [
            pool.submit(_zappa, "undeploy", name, settings, "--yes")
            for name, function in stage.functions.items()
            if exists(account, function)
        ]:
            done.result()
    # Zappa's own stack, where the function was gone already.
    stacks.delete(account, stage.web_function)


def api_id(stage: Stage, account: Account) -> str:
    """Return the id of the API that Zappa made."""
    resource = account.client("cloudformation").describe_stack_resource(
        StackName=stage.web_function, LogicalResourceId="Api"
    )
    found: str = resource["StackResourceDetail"]["PhysicalResourceId"]
    return found


def address(stage: Stage, account: Account) -> str:
    """Return the site's address at API Gateway."""
    return f"{account.scheme}://{account.site_host(api_id(stage, account))}/{stage.name}/"


def throttle(stage: Stage, account: Account) -> None:
    """Bound how many requests the API takes, as zappa_settings.json says: Zappa's deployments forget it."""
    limits = stage.settings()[stage.name][THROTTLING]
    account.client("apigateway").update_stage(
        restApiId=api_id(stage, account),
        stageName=stage.name,
        patchOperations=[
            {
                "op": "replace",
                "path": "/*/*/throttling/rateLimit",
                "value": str(limits["requests_per_second"]),
            },
            {"op": "replace", "path": "/*/*/throttling/burstLimit", "value": str(limits["burst"])},
        ],
    )
