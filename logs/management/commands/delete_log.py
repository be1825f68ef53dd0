"""`manage.py delete_log`: delete logs permanently."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from logs import reader, signals
from logs.digests import directory, erasure
from logs.storage.errors import AWS_ERRORS, StoreUnavailable


class Command(BaseCommand):
    """Delete logs by their ids, with their parts and their text in digests."""

    help = "Deletes logs permanently. Asks for confirmation unless --noinput is set."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the ids, and the option to skip the confirmation."""
        parser.add_argument("ids", nargs="+", metavar="ID", help="a log's id, in any spelling of a UUID")
        parser.add_argument(
            "--noinput", "--no-input", action="store_false", dest="interactive", help="do not ask"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete the logs; if one does not exist, raise CommandError before any is deleted."""
        try:
            items = {log_id: reader.get(log_id, includes_own=True) for log_id in options["ids"]}
            if missing := [log_id for log_id, item in items.items() if item is None]:
                raise CommandError(f"There is no log {', '.join(missing)}; nothing was deleted.")
            if options["interactive"] and input(f"Delete {len(items)} permanently? Type yes: ") != "yes":
                raise CommandError("Nothing was deleted.")
            for item in items.values():
                if item:
                    erasure.delete(item.id)
                    signals.log_deleted.send_robust(sender=Command, request=None, log_id=item.id)
                    self.stdout.write(f"Deleted {item.id}")
        except (StoreUnavailable, directory.Conflict, *AWS_ERRORS) as error:
            raise CommandError(f"DynamoDB refused: {error}") from error
