"""`manage.py list_api_tokens`: list the tokens of the JSON API."""

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand

from logsite.accounts import tokens
from logsite.accounts.management.errors import aws_errors_as_command_errors


class Command(BaseCommand):
    """List the names and times of all tokens, never their secrets."""

    help = "Lists the API tokens: name, creation time and expiry."

    def handle(self, *args: Any, **options: Any) -> None:
        with aws_errors_as_command_errors():
            items = tokens.list_all()
        if not items:
            self.stdout.write("There are no API tokens.")
        for item in items:
            expiry = f"expires {_to_text(item.expires_at)}" if item.expires_at else "never expires"
            expired = " (expired)" if tokens.is_expired(item) else ""
            self.stdout.write(f"{item.name:<30} created {_to_text(item.created_at)}, {expiry}{expired}")


def _to_text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
