"""`manage.py list_api_tokens`: which programs may read the logs."""

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand

from logsite.accounts import tokens
from logsite.accounts.management.errors import plain_errors


class Command(BaseCommand):
    """List the tokens by name, never with what could be used."""

    help = "Lists the API tokens: name, when it was made, until when it is good."

    def handle(self, *args: Any, **options: Any) -> None:
        with plain_errors():
            found = tokens.every()
        if not found:
            self.stdout.write("There are no API tokens.")
        for item in found:
            until = f"until {_day(item.expires_at)}" if item.expires_at else "for ever"
            ended = " (expired)" if tokens.is_expired(item) else ""
            self.stdout.write(f"{item.name:<30} made {_day(item.created_at)}, good {until}{ended}")


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
