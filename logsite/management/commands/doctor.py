"""`manage.py doctor`: check the tables, the queues and the path of a log."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from logsite.doctor import digests, event_source_mapping, queues, round_trip, tables
from logsite.doctor.results import CheckResult, Verdict, run_check

TIMEOUT_SECONDS = 60.0


class Command(BaseCommand):
    """Run all checks and print a line for each result."""

    help = (
        "Checks the tables, the digests, the queues, the event source mapping and the clock. Then sends a "
        "log through the queue and waits until it is readable; this log expires after a day. Prints a line "
        "per check: OK, NOTE, or FAIL with the next step. The exit status is 1 if a check fails. Uses the "
        "site's settings: LOGS_TABLE and the other tables' names, LOGS_QUEUE_URL, "
        "LOGS_DEAD_LETTER_QUEUE_URL. Required permissions on AWS: "
        "dynamodb:DescribeTable, dynamodb:DescribeTimeToLive and dynamodb:GetItem on the tables, "
        "sqs:GetQueueAttributes on both queues, sqs:SendMessage on the queue of logs, "
        "lambda:ListEventSourceMappings, and lambda:GetFunctionConfiguration on the writer."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--timeout",
            type=float,
            default=TIMEOUT_SECONDS,
            metavar="SECONDS",
            help=f"How long to wait for the log (default: {TIMEOUT_SECONDS:g}).",
        )
        parser.add_argument("--json", action="store_true", help="Print each result as a JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["timeout"] <= 0:
            raise CommandError(f"--timeout must be more than 0, not {options['timeout']:g}.")
        failures = total = 0
        for result in run_checks(options["timeout"], partial(self.stderr.write, style_func=str)):
            self.stdout.write(json.dumps(asdict(result)) if options["json"] else str(result))
            # The next check, the round trip, may take a minute.
            self.stdout.flush()
            total += 1
            failures += result.verdict is Verdict.FAIL
        if failures:
            raise CommandError(f"{failures} of {total} checks failed.")


def run_checks(timeout: float, report_progress: Callable[[str], object]) -> Iterator[CheckResult]:
    """Yield the results of all checks. A check that fails does not stop the others."""
    yield from tables.check()
    yield from run_check(digests.PART, digests.check)
    yield from run_check("Queues", queues.check)
    yield from run_check(event_source_mapping.MAPPING, event_source_mapping.check)
    yield from run_check(round_trip.PART, partial(round_trip.check, timeout, report_progress))
