"""`manage.py deactivate_user`: keep someone out."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from logsite.accounts.management.errors import plain_errors
from logsite.accounts.models import User


class Command(BaseCommand):
    """Keep a user out, from their next request on, or let them in again."""

    help = "Keeps a user out, from their next request on. The user stays in the table, marked as inactive."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--undo", action="store_true", help="Let the user in again.")

    def handle(self, *args: Any, **options: Any) -> None:
        with plain_errors():
            try:
                user = User.objects.get(username=options["username"])
            except User.DoesNotExist as error:
                raise CommandError(f"There is no user {options['username']}.") from error
            user.is_active = options["undo"]
            user.save(update_fields=["is_active"])
        if options["verbosity"] > 0:
            outcome = "may sign in again" if user.is_active else "is out"
            self.stdout.write(f"{user.username} {outcome}.")
