"""`manage.py revoke_api_token`: keep a program out."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from logsite.accounts import tokens
from logsite.accounts.management.errors import plain_errors


class Command(BaseCommand):
    """Delete a token."""

    help = "Deletes an API token: the next request with it is refused."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        with plain_errors():
            existed = tokens.revoke(options["name"])
        if not existed:
            raise CommandError(f"There is no token {options['name']}.")
        if options["verbosity"] > 0:
            self.stdout.write(f"The token {options['name']} is good for nothing any more.")
