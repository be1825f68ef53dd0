"""`manage.py doctor`: is everything wired as it should be, and does a log arrive?"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from logsite.doctor import mapping, queues, tables, trip
from logsite.doctor.findings import Finding, Verdict, guarded

TIMEOUT_SECONDS = 60.0


class Command(BaseCommand):
    """Check each part and the whole; a line each."""

    help = (
        "Checks tables, queues, the mapping that feeds the writer and the clock, then sends a log through "
        "the queue and waits until it can be read (it expires after a day). A line for each: OK, or FAIL and "
        "what to do; the exit status is 1 where one fails. It looks at what the settings name: LOGS_TABLE, "
        "the other tables, LOGS_QUEUE_URL, LOGS_DEAD_LETTER_QUEUE_URL. On AWS it needs "
        "dynamodb:DescribeTable, dynamodb:DescribeTimeToLive and dynamodb:GetItem on the tables, "
        "sqs:GetQueueAttributes on both queues, sqs:SendMessage on the first, "
        "lambda:ListEventSourceMappings, and lambda:GetFunctionConfiguration on the writer."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--timeout",
            type=float,
            default=TIMEOUT_SECONDS,
            metavar="N",
            help=f"How many seconds the log may take to arrive ({TIMEOUT_SECONDS:g}).",
        )
        parser.add_argument("--json", action="store_true", help="Print one JSON object a line.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["timeout"] <= 0:
            raise CommandError(f"--timeout must be more than 0, not {options['timeout']:g}.")
        failed = checked = 0
        for finding in findings(options["timeout"], partial(self.stderr.write, style_func=str)):
            # At once: the last one may take its time.
            self.stdout.write(json.dumps(asdict(finding)) if options["json"] else str(finding))
            self.stdout.flush()
            checked += 1
            failed += finding.verdict is Verdict.FAIL
        if failed:
            raise CommandError(f"{failed} of {checked} failed.")


def findings(timeout: float, tell: Callable[[str], object]) -> Iterator[Finding]:
    """Give what each check finds; one that fails stops no other. What it waits for it tells meanwhile."""
    yield from tables.check()
    yield from guarded("Queues", queues.check)
    yield from guarded(mapping.MAPPING, mapping.check)
    yield from guarded(trip.TRIP, partial(trip.check, timeout, tell))
