"""`python -m ingest`: send files of logs, and handle dead letters."""

import argparse
import os
import sys

from ingest.cli import schema, send
from ingest.cli.dlq import command as dlq
from ingest.cli.errors import CommandFailed

COMMANDS = (send, dlq, schema)


def main(arguments: list[str] | None = None) -> int:
    """Run the command in the arguments. Return its exit status.

    A CommandFailed is printed on standard error. Raise SystemExit for invalid arguments and --help.
    """
    parser = argparse.ArgumentParser(
        prog="python -m ingest",
        description="Send files of logs, handle dead letters, and print the schema of a message.",
    )
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(subparsers)
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except CommandFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except BrokenPipeError:
        # The reader of a pipe such as `… | head` closed it. Python's flush at exit must not fail too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
