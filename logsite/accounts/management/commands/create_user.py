"""`manage.py create_user`: create a user who can read the logs."""

import getpass
import os
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from logsite.accounts.management.errors import aws_errors_as_command_errors
from logsite.accounts.models import User

PASSWORD_VARIABLE = "DJANGO_USER_PASSWORD"  # noqa: S105  the name of a variable, not a password

# permission → the option that gives it
PERMISSIONS = {
    "logs.view_log": "view_logs",
    "logs.replay_dead_letters": "replay_dead_letters",
    "logs.share_views": "share_views",
}


class Command(BaseCommand):
    """Create a staff user with the permission to read the logs."""

    help = "Creates a user who can sign in to the admin and read the logs. Prompts for the password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="Name to sign in with, at most 150 characters.")
        parser.add_argument("--email", default="", help="The user's email address.")
        parser.add_argument(
            "--no-view-logs",
            action="store_false",
            dest="view_logs",
            help="Do not give the user the permission to read the logs.",
        )
        parser.add_argument(
            "--replay-dead-letters",
            action="store_true",
            help="Give the user the permission to replay, correct and discard dead letters.",
        )
        parser.add_argument(
            "--share-views",
            action="store_true",
            help="Give the user the permission to share saved views, and to change shared ones.",
        )
        parser.add_argument(
            "--noinput",
            "--no-input",
            action="store_false",
            dest="interactive",
            help=f"Do not prompt. Read the password from the environment variable {PASSWORD_VARIABLE}.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = User(
            username=User.normalize_username(options["username"]),
            email=User.objects.normalize_email(options["email"]),
            is_staff=True,
            permissions={permission for permission, option in PERMISSIONS.items() if options[option]},
        )
        try:
            user.clean_fields(exclude=["password"])
            with aws_errors_as_command_errors():
                # Before the prompt, so that nobody types a password in vain. `save` checks again.
                if exists(user.username):
                    raise CommandError(f"The username {user.username} is taken.")
                password = prompt_for_password() if options["interactive"] else password_from_environment()
                validate_password(password, user)
                user.set_password(password)
                user.save()
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except IntegrityError as error:
            raise CommandError(str(error)) from error
        if options["verbosity"] > 0:
            self.stdout.write(f"Created the user {user.username}.")


def exists(username: str) -> bool:
    """Return whether a user has this name."""
    try:
        User.objects.get(username=username)
    except User.DoesNotExist:
        return False
    return True


def prompt_for_password() -> str:
    """Prompt for a password twice and return it.

    Raise CommandError if the two differ, or if the input ends.
    """
    try:
        password = getpass.getpass("Password: ")
        again = getpass.getpass("Password (again): ")
    except (EOFError, KeyboardInterrupt) as error:
        raise CommandError("No password was entered. The user was not created.") from error
    if password != again:
        raise CommandError("The two passwords differ. The user was not created.")
    return password


def password_from_environment() -> str:
    """Return the password in the environment. Raise CommandError if it is not set."""
    try:
        return os.environ[PASSWORD_VARIABLE]
    except KeyError as error:
        raise CommandError(f"With --noinput, set {PASSWORD_VARIABLE} in the environment.") from error
