"""`manage.py create_api_token`: create a token for the JSON API."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from logsite.accounts import tokens
from logsite.accounts.management.errors import aws_errors_as_command_errors

MAX_DAYS = 36_500


class Command(BaseCommand):
    """Create a token and print it once."""

    help = (
        "Creates a token for the JSON API. It gives read access to the logs and nothing else. The token is "
        "printed once, alone on the last line of standard output. Only its hash is stored."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "name", help="Name of the program that uses it: 1 to 50 lower-case letters, digits and hyphens."
        )
        parser.add_argument(
            "--expires", type=int, metavar="DAYS", help="Days until it expires (default: never)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["expires"]
        if days is not None and not 0 < days <= MAX_DAYS:
            raise CommandError(f"--expires must be from 1 to {MAX_DAYS} days, not {days}.")
        with aws_errors_as_command_errors():
            try:
                token = tokens.create(options["name"], timedelta(days=days) if days else None)
            except (tokens.InvalidTokenName, tokens.TokenExists) as error:
                raise CommandError(str(error)) from error
        if options["verbosity"] > 0:
            self.stdout.write("The token, which cannot be shown again:")
        self.stdout.write(token)
