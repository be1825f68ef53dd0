"""`manage.py revoke_api_token`: delete a token of the JSON API."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from logsite.accounts import tokens
from logsite.accounts.management.errors import aws_errors_as_command_errors


class Command(BaseCommand):
    """Delete a token."""

    help = "Deletes an API token. The next request with it is refused."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="Name of the token, as list_api_tokens prints it.")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        with aws_errors_as_command_errors():
            existed = tokens.revoke(name)
        if not existed:
            raise CommandError(f"There is no token {name}. list_api_tokens prints the names.")
        if options["verbosity"] > 0:
            self.stdout.write(f"Revoked the token {name}.")
