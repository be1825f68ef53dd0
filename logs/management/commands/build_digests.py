"""`manage.py build_digests`: build the digests of logs."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from logs import conf, times
from logs.characters import visible
from logs.digests import builder, state
from logs.digests.builder import Progress
from logs.digests.directory import Conflict, ItemMissing
from logs.management.progress import progress
from logs.storage import digest_items
from logs.storage.digest_items import DigestItem
from logs.storage.errors import AWS_ERRORS, StoreUnavailable

INTERRUPTED = 130  # the exit status of a shell after Ctrl-C
AGAIN = "Run the command again to build the missing digests."


class Command(BaseCommand):
    """Build missing digests, or replace those of a range."""

    help = (
        "Builds digests, the derived data for text search and counts, up to five minutes ago. Without "
        "options it continues where the last run ended, as the scheduled builder does. A run may be "
        "interrupted at any time, and other builders may run at the same time. "
        "Required permissions on AWS: those of deploy/iam-digests.json, and dynamodb:DescribeTable on the "
        "table of digests."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the range, and the option to replace digests."""
        parser.add_argument(
            "--from",
            type=_time,
            dest="start",
            metavar="TIME",
            help="build from this time on, in ISO 8601; without an offset it is UTC",
        )
        parser.add_argument(
            "--to", type=_time, dest="end", metavar="TIME", help="build up to this time, exclusive"
        )
        parser.add_argument(
            "--rebuild", action="store_true", help="replace existing digests of the range, or all of them"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Build the digests. Raise CommandError for a wrong range, an error of AWS, or after Ctrl-C."""
        start, end = options["start"], options["end"]
        if start and end and start >= end:
            raise CommandError(
                f"--from must be before --to, not {times.to_text(start)} and {times.to_text(end)}."
            )
        if not digest_items.is_on():
            raise CommandError("Digests are off. Set DIGESTS_TABLE to the name of their table.")
        try:
            self.check_table()
            self.check_format()
            # Not `self.stderr`, which ends each update with a line break.
            with progress("Digests", sys.stderr) as show:

                def report(segment: Progress) -> None:
                    show(segment.logs, segment.reached)

                result = builder.build(
                    start, end, rebuild=options["rebuild"], shards=conf.shards(), report=report
                )
        except (Conflict, ItemMissing) as error:
            raise CommandError(f"Not finished: {error}. {AGAIN}") from error
        except (StoreUnavailable, *AWS_ERRORS) as error:
            raise CommandError(f"DynamoDB refused: {error}. {AGAIN}") from error
        except KeyboardInterrupt as error:
            raise CommandError(f"Interrupted. {AGAIN}", returncode=INTERRUPTED) from error
        if options["verbosity"] > 0:
            self.stdout.write(f"Built {result.segments:,} segments of {result.logs:,} logs.")
        if not result.is_finished:
            raise CommandError(
                "Not finished: another builder, or the deletion of a log, was at work on the same day. "
                + AGAIN
            )

    def check_table(self) -> None:
        """Raise CommandError if the table of digests does not exist. Costs one DescribeTable."""
        if not DigestItem.exists():
            raise CommandError(
                f"The table {DigestItem.Meta.table_name} does not exist. Run `manage.py create_tables`, or "
                "set DIGESTS_TABLE to the name of an existing table."
            )

    def check_format(self) -> None:
        """Raise CommandError if the scheduled builder has another format. Costs one Query.

        The site could not read the digests of this one, and the scheduled builder would replace them.
        """
        scheduled, own = state.read()[0].format, state.own_format()
        if scheduled and scheduled[0] != own[0]:
            raise CommandError(
                f"The scheduled builder writes digests of the format '{scheduled[0]}' with Python "
                f"{scheduled[1]}. This command would write '{own[0]}' with Python {own[1]}, which the site "
                f"cannot read. Run the command with Python {scheduled[1]} and the deployed code."
            )


def _time(text: str) -> datetime:
    """Return a time or the start of a day in UTC."""
    try:
        return times.parse(text)
    except (ValueError, OverflowError) as error:
        raise ArgumentTypeError(
            f"must be a time or a date in ISO 8601, such as 2026-11-25T13:00Z, not '{visible(text)}'"
        ) from error
