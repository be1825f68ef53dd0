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
            "--expires",
            default=str(tokens.DEFAULT_LIFETIME.days),
            metavar="DAYS",
            help="Days until it expires (default: %(default)s). It never expires with 0 or “never”.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        lifetime = to_lifetime(options["expires"])
        with aws_errors_as_command_errors():
            try:
                token = tokens.create(options["name"], lifetime)
            except (tokens.InvalidTokenName, tokens.TokenExists) as error:
                raise CommandError(str(error)) from error
        if options["verbosity"] > 0:
            self.stdout.write("The token, which cannot be shown again:")
        self.stdout.write(token)


def to_lifetime(text: str) -> timedelta | None:
    """Return the lifetime that `--expires` names, None for ever. Raise CommandError if it is invalid."""
    if text in ("never", "0"):
        return None
    if not text.isascii() or not text.isdecimal() or not 0 < int(text[:9]) <= MAX_DAYS:
        raise CommandError(f"--expires must be from 1 to {MAX_DAYS} days, or “never”, not {text!r}.")
    return timedelta(days=int(text))
