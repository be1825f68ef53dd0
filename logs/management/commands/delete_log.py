"""`manage.py delete_log`: take logs out of the table for good."""

from argparse import ArgumentParser
from typing import Any

from botocore.exceptions import BotoCoreError
from django.core.management.base import BaseCommand, CommandError
from pynamodb.exceptions import PynamoDBException

from logs import parts, reader


class Command(BaseCommand):
    """Delete logs by their ids, each with its parts."""

    help = "Delete logs for good. It asks first, unless --noinput is given."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take ids, and whether to ask."""
        parser.add_argument("ids", nargs="+", metavar="ID", help="a log's id, in any spelling of a UUID")
        parser.add_argument(
            "--noinput", "--no-input", action="store_false", dest="interactive", help="do not ask"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete what exists; raise CommandError where a log does not, before any is deleted."""
        try:
            found = {log_id: reader.get(log_id) for log_id in options["ids"]}
            if missing := [log_id for log_id, item in found.items() if item is None]:
                raise CommandError(f"There is no log {', '.join(missing)}; nothing was deleted.")
            if options["interactive"] and input(f"Delete {len(found)} for good? Type yes: ") != "yes":
                raise CommandError("Nothing was deleted.")
            for item in found.values():
                if item:
                    parts.delete(item.id)
                    self.stdout.write(f"Deleted {item.id}")
        except (reader.StoreUnavailable, PynamoDBException, BotoCoreError) as error:
            raise CommandError(f"DynamoDB does not do it: {error}") from error
