"""`python -m deploy admin`: create an administrator of the deployed site."""

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from deploy.commands.arguments import add_command
from deploy.commands.manage import run_django
from deploy.deployment import Deployment

if TYPE_CHECKING:
    from deploy.commands.arguments import Subparsers

# Options with which createsuperuser prompts for nothing.
WITHOUT_PROMPTS = {"--noinput", "--no-input", "--help", "-h"}


def add_parser(subparsers: "Subparsers") -> None:
    """Add `admin` to the commands of `python -m deploy`."""
    parser = add_command(subparsers, "admin", "create an administrator; prompts for the password", run, check)
    parser.add_argument(
        "arguments", nargs="*", metavar="OPTION", help="after --: options of Django's createsuperuser"
    )


def check(options: argparse.Namespace) -> Iterator[str]:
    """Yield the problems of the options."""
    if not sys.stdin.isatty() and WITHOUT_PROMPTS.isdisjoint(options.arguments):
        yield (
            'admin prompts for name and password, and there is no terminal. Set ARGS="--noinput --username '
            'NAME --email ADDRESS", and the password in DJANGO_SUPERUSER_PASSWORD.'
        )


def run(deployment: Deployment, options: argparse.Namespace) -> int:
    """Run createsuperuser against the stage; return its exit status."""
    return run_django(deployment, ["createsuperuser", *options.arguments])
