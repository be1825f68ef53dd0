"""`manage.py change_permissions`: give a user permissions, or withdraw them."""

from typing import Any

from django.apps import apps
from django.contrib.auth import get_permission_codename
from django.core.management.base import BaseCommand, CommandError, CommandParser

from logsite.accounts.management.errors import aws_errors_as_command_errors
from logsite.accounts.models import User


class Command(BaseCommand):
    """Give a staff user permissions, or withdraw them, from the next request on."""

    help = "Gives a user permissions, or withdraws them. Prints the permissions that the user then has."

    def add_arguments(self, parser: CommandParser) -> None:
        names = permissions()
        parser.add_argument("username", help="Name of the user.")
        parser.add_argument(
            "--add", action="append", default=[], choices=names, help="Give this permission. May be repeated."
        )
        parser.add_argument(
            "--remove",
            action="append",
            default=[],
            choices=names,
            help="Withdraw this permission. May be repeated.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        username, added, removed = options["username"], set(options["add"]), set(options["remove"])
        if added & removed:
            raise CommandError(f"--add and --remove name the same permission: {', '.join(added & removed)}.")
        with aws_errors_as_command_errors():
            try:
                user = User.objects.get(username=username)
            except User.DoesNotExist as error:
                raise CommandError(f"There is no user {username}.") from error
            user.permissions = (user.permissions | added) - removed
            user.save(update_fields=["permissions"])
        if options["verbosity"] > 0:
            names = ", ".join(sorted(user.permissions)) or "none"
            self.stdout.write(f"Permissions of the user {user.username}: {names}.")


def permissions() -> list[str]:
    """Return the permissions of the logs, such as `logs.view_log`."""
    names: list[str] = []
    for model in apps.get_app_config("logs").get_models():
        options = model._meta
        names += [get_permission_codename(action, options) for action in options.default_permissions]
        names += [str(name) for name, _ in options.permissions]
    return [f"logs.{name}" for name in names]
