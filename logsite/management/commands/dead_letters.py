"""`manage.py dead_letters`: the command `python -m ingest dead-letters` with the site's settings."""

import argparse
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ingest.cli.dlq import command


class Command(BaseCommand):
    """List, show, replay, edit, export, import and discard dead-letter messages."""

    help = command.DESCRIPTION
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        command.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        # `run` prints its errors itself, so a CommandError would print a second message.
        if status := command.run(argparse.Namespace(**options)):
            sys.exit(status)
