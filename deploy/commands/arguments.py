"""The arguments that all commands share."""

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.deployment import BUILD, Deployment

if TYPE_CHECKING:
    # argparse's class is generic only for type checkers.
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

Run = Callable[[Deployment, argparse.Namespace], int]
Check = Callable[[argparse.Namespace], Iterable[str]]


def no_problems(options: argparse.Namespace) -> Iterable[str]:
    """Return no problem: the parser alone checks the options."""
    return ()


def add_command(
    subparsers: "Subparsers", name: str, summary: str, run: Run, check: Check = no_problems
) -> argparse.ArgumentParser:
    """Add a command with the options of all commands; return its parser.

    `check` returns the problems of the options. They are reported together, before `run` is called. `run`
    returns the exit status.
    """
    description = f"{summary[0].upper()}{summary[1:]}."
    parser = subparsers.add_parser(name, help=summary, description=description)
    parser.add_argument("--stage", required=True, help="a stage of zappa_settings.json: dev, production")
    parser.add_argument(
        "--build", type=Path, default=BUILD, metavar="FOLDER", help="the build folder; default: build"
    )
    parser.set_defaults(run=run, check=check)
    return parser
