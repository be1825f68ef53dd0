"""`python -m deploy up`: deploy a stage or update it."""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from deploy import functions, mapping, package, resources, roles, schedule, secret_key, stacks, zappa
from deploy.commands.arguments import add_command
from deploy.deployment import Deployment
from deploy.errors import CommandFailed
from deploy.target import ARCHITECTURES, PYTHONS, Target, native_target
from ingest.masking import rules as masking_rules

if TYPE_CHECKING:
    from deploy.commands.arguments import Subparsers

MAX_DAYS = 36_500
# Parameters of the templates that this command sets and --set must not.
RESERVED_PARAMETERS = {
    *("Stage", "Alarms", "DeletionProtection", "TlsOnly"),
    *("LogsQueueArn", "LogsQueueName", "AlarmTopicArn"),
}


def add_parser(subparsers: "Subparsers") -> None:
    """Add `up` to the commands of `python -m deploy`."""
    parser = add_command(subparsers, "up", "deploy a stage or update it", run, check)
    parser.add_argument(
        "--keep-days",
        default="",
        metavar="DAYS",
        help="days to keep logs, 0 for ever; default: unchanged, at first a prompt",
    )
    parser.add_argument(
        "--python",
        default="",
        metavar="VERSION",
        help=f"Lambda's Python; default: unchanged, at first {PYTHONS[0]}",
    )
    parser.add_argument(
        "--arch",
        default="",
        metavar="PROCESSOR",
        help=f"{' or '.join(ARCHITECTURES)}; default: unchanged, at first x86_64",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of deploy/resources.yaml or deploy/mapping.yaml; repeat for several",
    )


def check(options: argparse.Namespace) -> Iterator[str]:
    """Yield the problems of the options."""
    if options.python not in ("", *PYTHONS):
        yield f"PYTHON must be one of {', '.join(PYTHONS)}, not {options.python!r}"
    if options.arch not in ("", *ARCHITECTURES):
        yield f"ARCH must be one of {', '.join(ARCHITECTURES)}, not {options.arch!r}"
    if options.keep_days and not is_valid_retention(options.keep_days):
        yield f"KEEP must be a number of days up to {MAX_DAYS}, or 0 for ever, not {options.keep_days!r}"
    for text in options.set:
        name, separator, value = text.partition("=")
        if not separator:
            yield f"--set must have the form NAME=VALUE, not {text!r}"
        if name == "Mask":
            try:
                masking_rules.parse(value, name)
            except ValueError as error:
                # The writer would not start.
                yield str(error)


def is_valid_retention(days: str) -> bool:
    """Return whether the text is a valid number of days to keep logs."""
    return days.isdecimal() and int(days) <= MAX_DAYS


def run(deployment: Deployment, options: argparse.Namespace) -> int:
    """Deploy the stage or update it; return the exit status."""
    up(deployment, choose_target(deployment, options), read_parameters(deployment, options))
    return 0


def up(deployment: Deployment, target: Target, parameters: Mapping[str, str]) -> None:
    """Deploy the stage or update it.

    `parameters` are parameters of the two templates. Parameters that it does not name keep their value. Raise
    CommandFailed, or one of `AWS_ERRORS`.
    """
    stage, report = deployment.stage, deployment.report
    start = time.monotonic()
    # Roles come first, because AWS needs minutes to propagate them. The slowest step runs in parallel.
    with ThreadPoolExecutor(1) as pool:
        preparation = pool.submit(package.prepare, deployment, target)
        current = deployment.resources_stack.parameters()
        parameters = {**parameters, "OwnSenders": own_senders(deployment, parameters, current)}
        key = parameters.get("KmsKeyArn", current.get("KmsKeyArn", ""))
        function_roles = roles.ensure(deployment, key)
        if secret_key.ensure(deployment):
            report(f"Created SECRET_KEY: SSM parameter {stage.secret_parameter}")
        if parameters.get("Digests", current.get("Digests")) == schedule.OFF:
            # Before the table, or the builder would fail.
            deployment.schedule_stack.delete()
        outputs = resources.ensure(deployment, parameters)
        report(f"Resources: {stage.resources_stack}")
        preparation.result()
    settings = zappa.write_settings(deployment, target, outputs, function_roles)
    lambda_package = package.build(deployment, settings)
    report(f"Package: {lambda_package.size / 2**20:.1f} MiB for {target.runtime} on {target.architecture}")
    address = functions.deploy(deployment, settings, lambda_package, outputs["DeploymentBucketName"])
    report(f"Functions: {', '.join(stage.functions.values())}")
    values = {key: value for key, value in parameters.items() if key in mapping.PARAMETERS}
    for key in ("LogsQueueArn", "LogsQueueName", "AlarmTopicArn"):
        values[key] = outputs[key]
    mapping.ensure(deployment, {**values, "Stage": stage.name, "Alarms": deployment.alarms})
    report(f"Mapping: {stage.mapping_stack}")
    if schedule.is_on(outputs):
        schedule.ensure(deployment, outputs)
        report(f"Schedule: {stage.schedule_stack}")
    report(f"Done in {time.monotonic() - start:.0f} s.\n")
    report(_next_steps(deployment, address, outputs))


def own_senders(deployment: Deployment, parameters: Mapping[str, str], current: Mapping[str, str]) -> str:
    """Return the parameter OwnSenders: the new or the current senders, and the operator.

    The operator sends logs of the account `_logsite`, with `doctor` and `dead-letters discard`.
    """
    senders = parameters.get("OwnSenders", current.get("OwnSenders", ""))
    return ",".join(dict.fromkeys(filter(None, [*senders.split(","), deployment.account.caller])))


def choose_target(deployment: Deployment, options: argparse.Namespace) -> Target:
    """Return the target of the options. The default is the target of the deployed site.

    A new stage gets the newest Python. An emulator runs the Python of this machine.
    Raise CommandFailed if the site runs on another processor.
    """
    if deployment.account.endpoint and not options.python and not options.arch:
        return native_target()
    function = deployment.stage.web_function
    current = functions.configuration(deployment, function) or {}
    [processor] = current.get("Architectures", [options.arch or "x86_64"])
    if options.arch not in ("", processor):
        raise CommandFailed(
            f"ARCH must be {processor}, the processor of {function}, not {options.arch}. To change it, run "
            f"`make undeploy STAGE={deployment.stage.name}` (the data stays), then deploy with "
            f"ARCH={options.arch}."
        )
    python = options.python or current.get("Runtime", "").removeprefix("python") or PYTHONS[0]
    return Target(python, processor)


def read_parameters(deployment: Deployment, options: argparse.Namespace) -> dict[str, str]:
    """Return the templates' parameters of the options. Prompt for the retention of a new stage.

    Raise CommandFailed if a parameter is unknown or no number, or if the retention is missing.
    """
    values = dict(text.split("=", 1) for text in options.set)
    account = deployment.account
    types = stacks.template_parameters(account, resources.TEMPLATE)
    types |= stacks.template_parameters(account, mapping.TEMPLATE)
    names = types.keys() - RESERVED_PARAMETERS
    if unknown := sorted(values.keys() - names):
        raise CommandFailed(f"--set must name one of {', '.join(sorted(names))}, not {', '.join(unknown)}")
    for name, value in values.items():
        if types[name] == "Number" and not (value.isascii() and value.isdecimal()):
            raise CommandFailed(f"{name} must be a whole number, not {value!r}")
    days = options.keep_days
    if not days and not deployment.resources_stack.parameters().get("RetentionDays"):
        if not sys.stdin.isatty():
            raise CommandFailed("KEEP is missing. Set the days to keep logs: KEEP=365, or KEEP=0 for ever.")
        while not is_valid_retention(days):
            days = input("Days to keep logs (0 for ever): ").strip()
    return {**values, **({"RetentionDays": str(int(days))} if days else {})}


def _next_steps(deployment: Deployment, address: str, outputs: Mapping[str, str]) -> str:
    stage, url = deployment.stage.name, outputs["LogsQueueUrl"]
    body = '{"account_id": 7, "user_id": 0, "type": "hello", "sub_type": "first", "url": ""}'
    return f"""\
Site:    {address}
Queue:   {url}
Sender:  {outputs["SenderPolicyArn"]}
         (attach this policy to the role or user of the main application)

Send a log:
  aws sqs send-message --region {deployment.account.region} --queue-url {url} --message-body '{body}'

Next:
  make admin STAGE={stage}           create an administrator; prompts for the password
  make deploy-status STAGE={stage}   show functions, queues and alarms
  make tail STAGE={stage}            print the log lines of the functions
  make deploy STAGE={stage}          deploy a change; `make rollback` runs the earlier code again"""
