"""`manage.py create_api_token`: let a program read the logs."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from logsite.accounts import tokens
from logsite.accounts.management.errors import plain_errors

MAX_DAYS = 36_500


class Command(BaseCommand):
    """Make a token, and print it once."""

    help = (
        "Makes a token for the JSON API, which may read the logs and nothing else. It is printed once, alone "
        "on the last line of standard output; only its hash is kept."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="What it is for: lower-case letters, digits and hyphens.")
        parser.add_argument(
            "--expires", type=int, metavar="DAYS", help="How long it is good; default: for ever."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["expires"]
        if days is not None and not 0 < days <= MAX_DAYS:
            raise CommandError(f"--expires must be from 1 to {MAX_DAYS} days, not {days}.")
        with plain_errors():
            try:
                token = tokens.create(options["name"], timedelta(days=days) if days else None)
            except (tokens.WrongName, tokens.NameTaken) as error:
                raise CommandError(str(error)) from error
        if options["verbosity"] > 0:
            self.stdout.write("The token, which cannot be shown again:")
        self.stdout.write(token)
