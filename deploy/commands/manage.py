"""`python -m deploy manage`: run a command of manage.py against the deployed stage."""

import argparse
import os
import secrets
import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from deploy.commands.arguments import add_command
from deploy.deployment import Deployment
from deploy.stage import ROOT

if TYPE_CHECKING:
    from deploy.commands.arguments import Subparsers


def add_parser(subparsers: "Subparsers") -> None:
    """Add `manage` to the commands of `python -m deploy`."""
    parser = add_command(subparsers, "manage", "run a command of manage.py against the stage", run)
    parser.add_argument(
        "arguments", nargs="+", metavar="ARGUMENT", help="after --: the command and its options"
    )


def run(deployment: Deployment, options: argparse.Namespace) -> int:
    """Run the command of manage.py; return its exit status."""
    return run_django(deployment, options.arguments)


def run_django(deployment: Deployment, arguments: Sequence[str]) -> int:
    """Run a Django command on this machine; return its exit status.

    It has the operator's credentials and the stage's settings. Raise NotDeployed if the stage is missing.
    """
    command = [sys.executable, "-m", "django", *arguments]
    environment = {**os.environ, **variables(deployment)}
    return subprocess.run(command, cwd=ROOT, env=environment).returncode


def variables(deployment: Deployment) -> dict[str, str]:
    """Return the environment variables that connect a local Django to the stage.

    Raise NotDeployed if the stage is missing.
    """
    outputs = deployment.outputs()
    days = outputs["RetentionDays"]
    return {
        "DJANGO_SETTINGS_MODULE": "logsite.settings",
        "DEBUG": "off",
        # A random key is enough, because no command signs or verifies anything for the site.
        "SECRET_KEY": secrets.token_urlsafe(40),
        "SECRET_KEY_PARAMETER": "",
        "ALLOWED_HOSTS": "localhost",
        "AWS_DEFAULT_REGION": deployment.account.region,
        "LOGS_TABLE": outputs["LogsTableName"],
        "USERS_TABLE": outputs["UsersTableName"],
        "SESSIONS_TABLE": outputs["SessionsTableName"],
        "TOKENS_TABLE": outputs["TokensTableName"],
        # CloudFormation has no empty outputs.
        "DIGESTS_TABLE": outputs.get("DigestsTableName", ""),
        # A stage of an earlier version has no such table.
        "VIEWS_TABLE": outputs.get("ViewsTableName", ""),
        "EXPORTS_TABLE": outputs["ExportsTableName"],
        "LOGS_QUEUE_URL": outputs["LogsQueueUrl"],
        "LOGS_DEAD_LETTER_QUEUE_URL": outputs["DeadLetterQueueUrl"],
        # Those of the writer, for import_logs and verify_import.
        "LOGS_MASK": outputs.get("Mask", ""),
        "LOGS_RETENTION_DAYS": "" if days == "0" else days,
        "LOGS_SORTING_SHARDS": outputs["SortingShards"],
        "LOGS_SORTING_SHARDS_READ": outputs["SortingShardsRead"],
    }
