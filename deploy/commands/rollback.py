"""`python -m deploy rollback`: run the code of an earlier deployment."""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from deploy import functions
from deploy.commands.arguments import add_command
from deploy.deployment import Deployment

if TYPE_CHECKING:
    from deploy.commands.arguments import Subparsers


def add_parser(subparsers: "Subparsers") -> None:
    """Add `rollback` to the commands of `python -m deploy`."""
    parser = add_command(subparsers, "rollback", "run the code of an earlier deployment", run, check)
    parser.add_argument(
        "--versions", type=int, default=1, metavar="N", help="how many deployments back; default: 1"
    )


def check(options: argparse.Namespace) -> Iterator[str]:
    """Yield the problems of the options."""
    if options.versions < 1:
        yield f"--versions must be 1 or more, not {options.versions}"


def run(deployment: Deployment, options: argparse.Namespace) -> int:
    """Let the functions run earlier code; return the exit status.

    Raise NotDeployed if a function does not exist, and CommandFailed if there is no such version.
    """
    stage, versions, report = deployment.stage, options.versions, deployment.report
    deployment.outputs()
    for function in (stage.web_function, stage.writer_function):
        if not functions.exists(deployment, function):
            raise deployment.not_deployed(function)
    changed = functions.roll_back(deployment, versions)
    ago = "one deployment" if versions == 1 else f"{versions} deployments"
    report(f"{', '.join(changed)} run the code of {ago} ago.")
    for function in stage.later_functions:
        if function not in changed:
            report(f"{function} has no code of that deployment, and keeps its code.")
    report(f"The rollback counts as a deployment. To undo it: make rollback STAGE={stage.name}")
    report(f"Settings and resources are unchanged. To change them: make deploy STAGE={stage.name}")
    return 0
