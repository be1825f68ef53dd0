"""`manage.py verify_import`: compare the rows of a source with their logs."""

import json
import sys
from argparse import ArgumentParser
from collections import deque
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Future
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ingest.cli import progress
from ingest.cli.arguments import whole_number
from ingest.cli.errors import INTERRUPTED, CommandFailed
from ingest.cli.terminal import escape_controls
from ingest.imports import processes, verification
from ingest.imports.arguments import add_processes_argument, add_source_arguments, make_mapping, open_source
from ingest.imports.group_writer import Settings
from ingest.imports.rows import Source
from ingest.imports.run import Refusals, groups
from ingest.imports.verification import Comparison, Day, Difference
from logs.storage.errors import AWS_ERRORS

MAX_SAMPLE = 100_000
# Of a value that differs.
MAX_CHARACTERS = 300
# Of a hash with 64 digits.
SHOWN_DIGITS = 12


class Command(BaseCommand):
    """Compare the rows of a database or a file with their logs. The exit status is 1 if they differ."""

    help = (
        "Reads the rows of a source again, and their logs by id, and compares count and content for each day "
        "in UTC. Pass the source and the mapping of import_logs, and the same LOGS_MASK and "
        "LOGS_RETENTION_DAYS. Rows whose retention has passed and refused rows are left out. Logs from "
        "elsewhere are not read. A log costs half a read unit per 4 KB. Required permission on AWS: "
        "dynamodb:BatchGetItem on the table of logs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the source, its mapping, and the sample."""
        add_source_arguments(parser)
        parser.add_argument(
            "--sample",
            type=whole_number(1, MAX_SAMPLE),
            metavar="N",
            help="compare N random rows field by field, and list each difference",
        )
        add_processes_argument(parser, "processes that compare")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare the rows. Raise CommandError for a difference, for an error, and after Ctrl-C."""
        try:
            source = open_source(options)
            settings = Settings(make_mapping(options, source), source.table, "")
            if options["sample"]:
                self._sample(source, settings, options["sample"])
            else:
                self._compare(source, settings, options["processes"])
        except CommandFailed as error:
            raise CommandError(str(error)) from error
        except AWS_ERRORS as error:
            raise CommandError(f"DynamoDB refused: {error}.") from error
        except BrokenExecutor as error:
            raise CommandError("A process ended, perhaps without memory.") from error
        except KeyboardInterrupt as error:
            raise CommandError("Interrupted.", returncode=INTERRUPTED) from error

    def _compare(self, source: Source, settings: Settings, number: int) -> None:
        days: dict[str, Day] = {}
        refusals = Refusals()
        total = Comparison()
        first: Difference | None = None
        with (
            processes.pool(settings, number, verification.start) as pool,
            progress.bar(source.total() or 0, "Comparing", "row", sys.stderr) as bar,
        ):
            waiting: deque[Future[Comparison]] = deque()

            def results() -> Iterator[Comparison]:
                for group in groups(source.rows()):
                    if len(waiting) == number * processes.GROUPS_PER_PROCESS:
                        yield waiting.popleft().result()
                    waiting.append(pool.submit(verification.compare, group))
                while waiting:
                    yield waiting.popleft().result()

            for result in results():
                for name, day in result.days.items():
                    days.setdefault(name, Day()).add(day)
                refusals.add(result.refusals)
                total.counts += result.counts
                first = first or next(iter(result.differences), None)
                total.counts["missing"] += sum(not each.fields for each in result.differences)
                total.counts["different"] += sum(bool(each.fields) for each in result.differences)
                bar.update(result.counts["rows"])
        self._write_days(days)
        self._write_left_out(total, refusals)
        if first:
            self._write_difference(first)
        self._finish(total, sum(day.rows for day in days.values()))

    def _sample(self, source: Source, settings: Settings, size: int) -> None:
        with progress.bar(source.total() or 0, "Reading", "row", sys.stderr) as bar:

            def counted() -> Iterator[Any]:
                for row in source.rows():
                    bar.update(1)
                    yield row

            rows = verification.sample(counted(), size)
        refusals = Refusals()
        total = Comparison()
        verifier = verification.Verifier(settings.mapping, settings.table)
        for group in groups(iter(rows)):
            result = verifier.compare(group)
            refusals.add(result.refusals)
            total.counts += result.counts
            for difference in result.differences:
                self._write_difference(difference)
                total.counts["different" if difference.fields else "missing"] += 1
        self._write_left_out(total, refusals)
        self._finish(total, total.counts["rows"] - total.counts["refused"] - total.counts["expired"])

    def _write_days(self, days: dict[str, Day]) -> None:
        self.stdout.write(f"{'day (UTC)':10} {'rows':>12} {'logs':>12}  {'source':{SHOWN_DIGITS}}  table")
        for name, day in sorted(days.items()):
            hashes = f"{_digits(day.source_hash)}  {_digits(day.table_hash)}"
            result = "equal" if day.is_equal else "DIFFERENT"
            self.stdout.write(f"{name:10} {day.rows:12,} {day.logs:12,}  {hashes}  {result}")

    def _write_left_out(self, total: Comparison, refusals: Refusals) -> None:
        if expired := total.counts["expired"]:
            self.stdout.write(f"Rows not compared, because their retention has passed: {expired:,}.")
        if refused := total.counts["refused"]:
            self.stdout.write(f"Rows not compared, because import_logs refuses them: {refused:,}.")
            for line in refusals.lines():
                self.stdout.write(f"  {line}")

    def _write_difference(self, difference: Difference) -> None:
        row = f"Row {escape_controls(difference.key)} ({difference.day}, log {difference.log_id})"
        if not difference.fields:
            self.stdout.write(f"{row}: the log is missing.")
            return
        self.stdout.write(f"{row} differs:")
        for name, source, table in difference.fields:
            self.stdout.write(f"  {escape_controls(name)}")
            self.stdout.write(f"    source: {_value(source)}")
            self.stdout.write(f"    table:  {_value(table)}")

    def _finish(self, total: Comparison, compared: int) -> None:
        """Raise CommandError for a difference."""
        missing, different = total.counts["missing"], total.counts["different"]
        if missing or different:
            raise CommandError(
                f"Rows compared: {compared:,}. Without a log: {missing:,}. Different: {different:,}."
            )
        self.stdout.write(f"Rows compared: {compared:,}. All logs are equal.")


def _digits(number: int) -> str:
    return f"{number:064x}"[:SHOWN_DIGITS]


def _value(value: Any) -> str:
    text = escape_controls(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}… ({len(text):,} characters)"
