"""`manage.py create_user`: let someone in."""

import getpass
import os
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from logsite.accounts.management.errors import plain_errors
from logsite.accounts.models import User

PASSWORD_VARIABLE = "DJANGO_USER_PASSWORD"  # noqa: S105  the name of a variable, not a password


class Command(BaseCommand):
    """Make a user who may enter the admin and read the logs."""

    help = "Makes a user who may enter the admin and read the logs. Asks for the password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--email", default="", help="The user's email address.")
        parser.add_argument(
            "--no-view-logs",
            action="store_false",
            dest="view_logs",
            help="Let the user into the admin, but not to the logs.",
        )
        parser.add_argument(
            "--noinput",
            "--no-input",
            action="store_false",
            dest="interactive",
            help=f"Ask for nothing: take the password from the environment variable {PASSWORD_VARIABLE}.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = User(
            username=User.normalize_username(options["username"]),
            email=User.objects.normalize_email(options["email"]),
            is_staff=True,
            permissions={"logs.view_log"} if options["view_logs"] else set(),
        )
        try:
            user.clean_fields(exclude=["password"])
            with plain_errors():
                # Asked before the password is: nobody should type one in vain.
                if is_taken(user.username):
                    raise CommandError(f"The username {user.username} is taken.")
                password = ask_password() if options["interactive"] else given_password()
                validate_password(password, user)
                user.set_password(password)
                user.save()
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except IntegrityError as error:
            raise CommandError(str(error)) from error
        if options["verbosity"] > 0:
            self.stdout.write(f"Made the user {user.username}.")


def is_taken(username: str) -> bool:
    """Tell whether a user has this name."""
    try:
        User.objects.get(username=username)
    except User.DoesNotExist:
        return False
    return True


def ask_password() -> str:
    """Ask for a password twice and return it. Raises CommandError where the two differ or nobody answers."""
    try:
        password = getpass.getpass("Password: ")
        again = getpass.getpass("Password (again): ")
    except (EOFError, KeyboardInterrupt) as error:
        raise CommandError("No password was given, so no user was made.") from error
    if password != again:
        raise CommandError("The two passwords differ, so no user was made.")
    return password


def given_password() -> str:
    """Return the password of the environment. Raises CommandError where there is none."""
    try:
        return os.environ[PASSWORD_VARIABLE]
    except KeyError as error:
        raise CommandError(f"With --noinput, set {PASSWORD_VARIABLE} in the environment.") from error
