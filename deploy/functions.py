"""The Lambda functions and the API, which Zappa creates."""

import io
import json
import os
import urllib.request
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from deploy import emulator, zappa
from deploy.deployment import Deployment
from deploy.errors import CommandFailed
from deploy.package import Package
from deploy.process import run

LATEST = "$LATEST"
# The file of the writer that records late logs. Earlier versions lack it.
LATE_LOGS = "ingest/writing/late_logs.py"


def deploy(deployment: Deployment, settings: Path, package: Package, bucket: str) -> str:
    """Create or update the functions in parallel; return the site's address.

    Zappa creates the API with the site's function. Raise BuildFailed with Zappa's output, CommandFailed if
    the emulator rejects binary bodies.
    """
    deployment.client("s3").upload_file(str(package.path), bucket, package.key)
    source = f"s3://{bucket}/{package.key}"
    with ThreadPoolExecutor(len(deployment.stage.functions)) as pool:
        for future in [
            pool.submit(_deploy_one, deployment, settings, name, function, source)
            for name, function in deployment.stage.functions.items()
        ]:
            future.result()
    throttle(deployment)
    if deployment.account.endpoint:
        emulator.allow_binary_bodies(deployment.account, api_id(deployment))
    return address(deployment)


def _deploy_one(deployment: Deployment, settings: Path, name: str, function: str, source: str) -> None:
    command = "update" if exists(deployment, function) else "deploy"
    _zappa(command, name, settings, "--zip", source)
    client = deployment.client("lambda")
    waiter = client.get_waiter("function_updated_v2")
    waiter.wait(FunctionName=function)
    # Zappa never removes a variable, not even one that the settings no longer name.
    variables = json.loads(settings.read_text())[name]["aws_environment_variables"]
    if client.get_function_configuration(FunctionName=function)["Environment"]["Variables"] != variables:
        client.update_function_configuration(FunctionName=function, Environment={"Variables": variables})
        waiter.wait(FunctionName=function)


def _zappa(command: str, name: str, settings: Path, *options: str) -> None:
    run(
        [*zappa.command(command, name, settings), *options],
        cwd=settings.parent,
        environment={"VIRTUAL_ENV": os.environ.get("VIRTUAL_ENV", str(settings.parent))},
    )


def exists(deployment: Deployment, function: str) -> bool:
    """Return whether the function exists."""
    return configuration(deployment, function) is not None


def configuration(deployment: Deployment, function: str) -> dict[str, Any] | None:
    """Return the function's configuration, or None if the function does not exist."""
    client = deployment.client("lambda")
    try:
        response: dict[str, Any] = client.get_function_configuration(FunctionName=function)
    except client.exceptions.ResourceNotFoundException:
        return None
    return response


def roll_back(deployment: Deployment, versions: int) -> list[str]:
    """Let the functions run the code of `versions` deployments ago; return their names.

    Zappa's own rollback reports success even if there is no such version. Raise CommandFailed in that case,
    and if that code needs another Python, processor or handler, because an update of the code does not change
    these. Raise it too if the writer would not record late logs.

    The digests builder and the exports keep their code if they have fewer versions: they came later than the
    other functions, and are right for every version of the site.
    """
    client = deployment.client("lambda")
    stage = deployment.stage
    previous_versions = {
        function: _previous_version(deployment, function, versions)
        for function in stage.functions.values()
        if function not in stage.later_functions
        or len(_versions(_configurations(deployment, function))) > versions
    }
    packages = {}
    for function, version in previous_versions.items():
        url = client.get_function(FunctionName=function, Qualifier=version)["Code"]["Location"]
        with urllib.request.urlopen(url, timeout=60) as response:  # noqa: S310  the URL comes from Lambda
            packages[function] = response.read()
    _check_late_logs(deployment, packages[stage.writer_function])
    for function, package in packages.items():
        client.update_function_code(FunctionName=function, ZipFile=package, Publish=True)
        client.get_waiter("function_updated_v2").wait(FunctionName=function)
    return list(previous_versions)


def _check_late_logs(deployment: Deployment, package: bytes) -> None:
    """Raise CommandFailed if a package of the writer does not record late logs, and digests are on.

    Counts by digests would lack these logs.
    """
    current = configuration(deployment, deployment.stage.writer_function) or {}
    has_digests = current.get("Environment", {}).get("Variables", {}).get("DIGESTS_TABLE")
    if has_digests and LATE_LOGS not in zipfile.ZipFile(io.BytesIO(package)).namelist():
        raise CommandFailed(
            "The writer of that deployment does not record late logs, so counts by digests would be wrong. "
            f'Switch digests off first: make deploy STAGE={deployment.stage.name} SET="Digests=off"'
        )


def _configurations(deployment: Deployment, function: str) -> dict[str, dict[str, Any]]:
    """Return the configurations of the function's versions and of $LATEST. Empty if it does not exist."""
    client = deployment.client("lambda")
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=function)
    try:
        return {each["Version"]: each for page in pages for each in page["Versions"]}
    except client.exceptions.ResourceNotFoundException:
        return {}


def _versions(configurations: Mapping[str, dict[str, Any]]) -> list[str]:
    """Return the numbers of the versions, the newest first."""
    return sorted(configurations.keys() - {LATEST}, key=int, reverse=True)


def _previous_version(deployment: Deployment, function: str, versions: int) -> str:
    """Return the function's version of `versions` deployments ago. Raise CommandFailed if it cannot run."""
    configurations = _configurations(deployment, function)
    numbers = _versions(configurations)
    if len(numbers) <= versions:
        raise CommandFailed(
            f"--versions must be at most {len(numbers) - 1}, the number of earlier versions of {function}, "
            f"not {versions}"
        )
    version: str = numbers[versions]
    platform, earlier_platform = _platform(configurations[LATEST]), _platform(configurations[version])
    if platform != earlier_platform:
        raise CommandFailed(
            f"{function} runs on {platform}, and its code of that deployment needs {earlier_platform}. "
            "Check out the earlier commit and deploy it."
        )
    handler, earlier_handler = configurations[LATEST]["Handler"], configurations[version]["Handler"]
    if handler != earlier_handler:
        raise CommandFailed(
            f"{function} has the handler {handler}, and its code of that deployment has {earlier_handler}. "
            "Check out the earlier commit and deploy it."
        )
    return version


def _platform(configuration: Mapping[str, Any]) -> str:
    return f"{configuration['Runtime']}, {' '.join(configuration.get('Architectures', ['x86_64']))}"


def undeploy(deployment: Deployment, settings: Path) -> None:
    """Delete the functions and the API if they exist. Raise BuildFailed with Zappa's output."""
    with ThreadPoolExecutor(len(deployment.stage.functions)) as pool:
        for future in [
            pool.submit(_zappa, "undeploy", name, settings, "--yes")
            for name, function in deployment.stage.functions.items()
            if exists(deployment, function)
        ]:
            future.result()
    # Zappa's own stack remains if the function was deleted before.
    deployment.zappa_stack.delete()


def api_id(deployment: Deployment) -> str:
    """Return the id of the API."""
    response = deployment.client("cloudformation").describe_stack_resource(
        StackName=deployment.zappa_stack.name, LogicalResourceId="Api"
    )
    identifier: str = response["StackResourceDetail"]["PhysicalResourceId"]
    return identifier


def address(deployment: Deployment) -> str:
    """Return the site's address at API Gateway."""
    account = deployment.account
    return f"{account.scheme}://{account.site_host(api_id(deployment))}/{deployment.stage.name}/"


def throttle(deployment: Deployment) -> None:
    """Set the API's rate limit of zappa_settings.json. Every deployment by Zappa resets it."""
    stage = deployment.stage
    limits = stage.settings()[stage.name][zappa.THROTTLING]
    values = {"rateLimit": limits["requests_per_second"], "burstLimit": limits["burst"]}
    deployment.client("apigateway").update_stage(
        restApiId=api_id(deployment),
        stageName=stage.name,
        patchOperations=[
            {"op": "replace", "path": f"/*/*/throttling/{name}", "value": str(value)}
            for name, value in values.items()
        ],
    )
