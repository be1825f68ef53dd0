"""`manage.py deactivate_user`: lock a user out."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from logsite.accounts.management.errors import aws_errors_as_command_errors
from logsite.accounts.models import User


class Command(BaseCommand):
    """Deactivate a user, or activate them again."""

    help = "Deactivates a user. The next request of the user is refused. The user stays in the table."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="Name of the user.")
        parser.add_argument("--undo", action="store_true", help="Activate the user again.")

    def handle(self, *args: Any, **options: Any) -> None:
        username = options["username"]
        with aws_errors_as_command_errors():
            try:
                user = User.objects.get(username=username)
            except User.DoesNotExist as error:
                raise CommandError(f"There is no user {username}.") from error
            user.is_active = options["undo"]
            user.save(update_fields=["is_active"])
        if options["verbosity"] > 0:
            self.stdout.write(f"{'Activated' if user.is_active else 'Deactivated'} the user {user.username}.")
