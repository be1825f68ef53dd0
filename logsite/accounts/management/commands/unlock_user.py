"""`manage.py unlock_user`: end the delay after wrong passwords."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from logsite.accounts import throttle
from logsite.accounts.management.errors import aws_errors_as_command_errors
from logsite.accounts.models import User


class Command(BaseCommand):
    """Forget the wrong passwords of a user."""

    help = (
        "Lets a user sign in at once after too many wrong passwords. If the user's address is throttled as "
        "well, name it with --address."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="Name of the user.")
        parser.add_argument("--address", default="", help="Address of the client, for example 203.0.113.7.")

    def handle(self, *args: Any, **options: Any) -> None:
        username = options["username"]
        with aws_errors_as_command_errors():
            try:
                User.objects.get(username=username)
            except User.DoesNotExist as error:
                raise CommandError(f"There is no user {username}.") from error
            throttle.unlock_user(username)
            throttle.unlock_address(options["address"])
        if options["verbosity"] > 0:
            self.stdout.write(f"The user {username} may sign in at once.")
