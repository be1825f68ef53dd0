"""`python -m ingest`: the commands of the way in, each in a module of its own."""

import argparse
import os
import sys

from ingest.cli import schema as schema_command
from ingest.cli import send as send_command
from ingest.cli.dlq import command as letters_command

COMMANDS = (send_command, letters_command, schema_command)


def main(arguments: list[str] | None = None) -> int:
    """Run the command that the arguments name; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m ingest", description="Logs on their way in.")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(subparsers)
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # `… | head`; what Python would flush at its end goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
