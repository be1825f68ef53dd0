"""`python -m deploy`: the command line behind `make deploy` and its related targets."""

import argparse
import sys

from deploy.account import Account
from deploy.commands import admin, down, manage, rollback, status, tail, up
from deploy.deployment import Deployment
from deploy.errors import AWS_ERRORS, CommandFailed
from deploy.stage import Stage
from ingest.cli.terminal import escape_controls

COMMANDS = (up, down, rollback, status, tail, admin, manage)
INTERRUPTED = 130  # the exit status of a shell after Ctrl-C


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m deploy", description="Deploy Logsite to AWS.")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(subparsers)
    options = parser.parse_args(arguments)
    try:
        exit_status: int = options.run(deployment(options), options)
    except (CommandFailed, *AWS_ERRORS) as error:
        # It may hold the output of a program or the answer of a server.
        print("\n" + escape_controls(str(error), keep="\n\t"), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return exit_status


def deployment(options: argparse.Namespace) -> Deployment:
    """Return the deployment of the options. Raise CommandFailed with every problem at once."""
    problems: list[str] = []
    stage, account = Stage(options.stage), None
    try:
        stage.settings()
    except CommandFailed as error:
        problems.append(str(error))
    try:
        account = Account.from_environment()
    except CommandFailed as error:
        problems.append(str(error))
    problems += options.check(options)
    if problems or account is None:
        raise CommandFailed("Not ready:\n" + "\n".join(f"- {problem}" for problem in problems))
    return Deployment(stage, account, options.build.resolve())


if __name__ == "__main__":
    sys.exit(main())
