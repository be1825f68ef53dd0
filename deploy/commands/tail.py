"""`python -m deploy tail`: print the log lines of the functions."""

import argparse
from typing import TYPE_CHECKING

from deploy import log_tail
from deploy.commands.arguments import add_command
from deploy.deployment import Deployment

if TYPE_CHECKING:
    from deploy.commands.arguments import Subparsers


def add_parser(subparsers: "Subparsers") -> None:
    """Add `tail` to the commands of `python -m deploy`."""
    parser = add_command(subparsers, "tail", "print the log lines of the functions", run)
    parser.add_argument(
        "--minutes",
        type=int,
        default=10,
        metavar="N",
        help="print the lines of the last N minutes; default: 10",
    )
    parser.add_argument(
        "--level", choices=log_tail.LEVELS, help="the lowest level to print; default: every level"
    )
    parser.add_argument("--once", action="store_true", help="exit after the newest line")


def run(deployment: Deployment, options: argparse.Namespace) -> int:
    """Print the lines of the last minutes, then new lines until Ctrl-C.

    Lambda's own lines and metrics are left out. Return the exit status. Raise NotDeployed if the stage is
    missing.
    """
    deployment.outputs()
    functions = list(deployment.stage.functions.values())
    for line in log_tail.lines(deployment.account, functions, options.minutes, follow=not options.once):
        if log_tail.is_visible(line.text, options.level):
            deployment.report(format_line(line))
    return 0


def format_line(line: log_tail.Line) -> str:
    """Return a line for the terminal.

    Further lines of its text are indented, so that none looks like a new one.
    """
    text = line.text.replace("\r\n", "\n").replace("\n", "\n    ")
    return f"{line.at:%Y-%m-%dT%H:%M:%SZ} {line.function} {text}"
