"""`python -m deploy down`: delete the functions, and the data if that is confirmed."""

import argparse
import sys
from typing import TYPE_CHECKING

from deploy import functions, resources, roles, secret_key, zappa
from deploy.commands.arguments import add_command
from deploy.deployment import Deployment
from deploy.errors import CommandFailed, NotDeployed
from deploy.target import native_target

if TYPE_CHECKING:
    from deploy.commands.arguments import Subparsers


def add_parser(subparsers: "Subparsers") -> None:
    """Add `down` to the commands of `python -m deploy`."""
    parser = add_command(subparsers, "down", "delete the functions; the data stays", run)
    parser.add_argument("--delete-data", action="store_true", help="delete logs, users and queues too")
    parser.add_argument(
        "--confirm",
        default="",
        metavar="STAGE",
        help="with --delete-data: the stage's name again, instead of the prompt",
    )


def run(deployment: Deployment, options: argparse.Namespace) -> int:
    """Delete the functions, and the data with --delete-data; return the exit status."""
    stage, report = deployment.stage, deployment.report
    if options.delete_data:
        confirm(deployment, options.confirm)
        check_sender_policy(deployment)
    delete_functions(deployment)
    if options.delete_data:
        resources.delete(deployment)
        secret_key.delete(deployment)
        report(f"Deleted: {stage.resources_stack}, its tables, its queues and SECRET_KEY")
    else:
        report(
            f"Kept: the tables, the queues with their messages, {stage.secret_parameter}, and in the stack "
            f"{stage.resources_stack} the bucket, sender policy, log groups, topic, budget and dashboard."
        )
        report(f"To delete these too: make undeploy STAGE={stage.name} DELETE_DATA=yes")
    return 0


def confirm(deployment: Deployment, confirmation: str) -> None:
    """Prompt for the stage's name unless `confirmation` holds it. Raise CommandFailed if it differs."""
    name = deployment.stage.name
    if not confirmation and sys.stdin.isatty():
        prompt = f"This deletes all logs and users of {name}. Type the stage's name to confirm: "
        confirmation = input(prompt).strip()
    if confirmation != name:
        raise CommandFailed(f"Nothing was deleted. To confirm, set DELETE_DATA=yes and CONFIRM={name}.")


def check_sender_policy(deployment: Deployment) -> None:
    """Raise CommandFailed if a role, user or group has the sender's policy. IAM would not delete it."""
    policy, holders = resources.sender_policy_holders(deployment)
    if holders:
        raise CommandFailed(
            f"Nothing was deleted, because {', '.join(holders)} may send logs. Detach {policy} first."
        )


def delete_functions(deployment: Deployment) -> None:
    """Delete mapping, schedule, functions and roles, and the alarms. The tables and queues stay.

    Raise NotDeployed if the account has nothing of the stage.
    """
    stage, account, report = deployment.stage, deployment.account, deployment.report
    if not exists(deployment):
        raise NotDeployed(
            f"Nothing of logsite-{stage.name} exists in account {account.number}, region {account.region}."
        )
    deployment.mapping_stack.delete()
    deployment.schedule_stack.delete()
    report(f"Deleted: {stage.mapping_stack}, {stage.schedule_stack}")
    if outputs := deployment.resources_stack.outputs():
        no_roles = dict.fromkeys(stage.functions.values(), roles.Role("", ""))
        settings = zappa.write_settings(deployment, native_target(), outputs, no_roles)
        functions.undeploy(deployment, settings)
        report(f"Deleted: {', '.join(stage.functions.values())}")
        if not deployment.resources_stack.has_deletion_failed():
            resources.disable_alarms(deployment)
    roles.delete(deployment)
    report("Deleted: the functions' roles")


def exists(deployment: Deployment) -> bool:
    """Return whether any part of the stage exists.

    A failed or stopped command can leave some parts without the others.
    """
    return (
        resources.exist(deployment)
        or deployment.zappa_stack.describe() is not None
        or deployment.mapping_stack.describe() is not None
        or deployment.schedule_stack.describe() is not None
        or any(functions.exists(deployment, name) for name in deployment.stage.functions.values())
        or roles.exist(deployment)
        or secret_key.exists(deployment)
    )
