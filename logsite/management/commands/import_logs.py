"""`manage.py import_logs`: write the rows of a database or a file as logs."""

import signal
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from pynamodb.exceptions import TableDoesNotExist

from ingest.cli import progress
from ingest.cli.arguments import whole_number
from ingest.cli.checkpoint import lock
from ingest.cli.errors import INTERRUPTED, CommandFailed
from ingest.imports import checkpoint as checkpoints
from ingest.imports import digests, inspection, processes
from ingest.imports.arguments import add_processes_argument, add_source_arguments, make_mapping, open_source
from ingest.imports.checkpoint import Checkpoint, RefusedRows
from ingest.imports.group_writer import Settings, WritingFailed
from ingest.imports.rows import Source
from ingest.imports.run import Run
from logs.digests import state
from logs.digests.builder import Progress
from logs.digests.directory import Conflict, ItemMissing
from logs.management.progress import progress as digests_progress
from logs.models import LogItem
from logs.storage import digest_items, endpoints, tables
from logs.storage.errors import AWS_ERRORS

# About 300 logs per second. A new on-demand table takes 4,000 write units per second, and one partition key
# of SortingIndex takes 1,000 logs of 1 KB. The rest is for live traffic.
DEFAULT_WRITE_UNITS = 2_000
AGAIN = "Run the same command again to continue."


class Command(BaseCommand):
    """Import the rows of a database or a file. An interrupted import continues at its checkpoint."""

    help = (
        "Writes the rows of a table or a file as logs, through the code of the writer: LOGS_MASK, "
        "LOGS_RETENTION_DAYS and LOGS_SORTING_SHARDS must be those of the writer. It may be interrupted at "
        "any time, and may run beside live traffic. At the end it builds the digests of the imported days. "
        "Required permissions on AWS: on the table of logs dynamodb:PartiQLInsert, PutItem, GetItem, "
        "BatchGetItem, UpdateItem and DescribeTable, and those of deploy/iam-digests.json."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the source, its mapping, and the options of writing."""
        add_source_arguments(parser)
        parser.add_argument(
            "--inspect",
            action="store_true",
            help="print the columns, their mapping and three messages, and write nothing",
        )
        add_processes_argument(parser, "writing processes")
        parser.add_argument(
            "--write-units",
            type=whole_number(0),
            metavar="N",
            help="write units per second, of all processes together; 0 is no limit; "
            f"default: {DEFAULT_WRITE_UNITS:,} on AWS, and no limit for a local engine",
        )
        parser.add_argument(
            "--checkpoint",
            type=Path,
            metavar="FILE",
            help="file with the position of the import; default: a file for each source and "
            "table of logs, in XDG_STATE_HOME",
        )
        parser.add_argument(
            "--refused",
            type=Path,
            metavar="FILE",
            help="NDJSON file with row, column and reason of refused rows; default: beside the checkpoint",
        )
        parser.add_argument(
            "--restart", action="store_true", help="ignore the checkpoint: read all rows again"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="read all rows, write nothing, and report refused rows"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Import the rows. Raise CommandError for an error, after Ctrl-C, and if rows were refused."""
        try:
            source = open_source(options)
            mapping = make_mapping(options, source, is_complete=not options["inspect"])
            if options["inspect"]:
                for line in inspection.lines(source, mapping):
                    self.stdout.write(line)
                return
            table = "" if options["dry_run"] else _table()
            path = options["checkpoint"] or checkpoints.default_path(source.identity, table)
            import_id = checkpoints.import_id(source.identity, path)
            checkpoint = Checkpoint(source.identity, mapping.fingerprint, table, import_id, source.head())
            settings = Settings(
                mapping,
                source.table,
                checkpoint.import_id,
                units_per_process(options["write_units"], options["processes"]),
                options["dry_run"],
            )
            if options["dry_run"]:
                self._rehearse(source, checkpoint, settings, options["processes"])
            else:
                self._import(source, checkpoint, settings, path, options)
        except CommandFailed as error:
            raise CommandError(str(error)) from error
        except WritingFailed as error:
            raise CommandError(f"DynamoDB refused: {error}. {AGAIN}") from error
        except BrokenExecutor as error:
            raise CommandError(f"A writing process ended, perhaps without memory. {AGAIN}") from error
        except OSError as error:
            raise CommandError(f"A file cannot be written: {error}. {AGAIN}") from error
        except KeyboardInterrupt as error:
            raise CommandError(f"Interrupted. {AGAIN}", returncode=INTERRUPTED) from error

    def _rehearse(self, source: Source, checkpoint: Checkpoint, settings: Settings, number: int) -> None:
        with processes.pool(settings, number) as executor:
            run = Run(source, checkpoint, executor, number * processes.GROUPS_PER_PROCESS)
            with _shown(run, source):
                refusals = run.rehearse()
        counts = run.checkpoint.counts
        self.stdout.write(
            f"Dry run: nothing is written. Rows: {counts.rows:,}. Can be imported: {counts.written:,}, "
            f"skipped because their retention has passed: {counts.expired:,}, refused: {counts.refused:,}."
        )
        for line in refusals.lines():
            self.stdout.write(f"  {line}")
        if run.is_stopped:
            raise CommandError("Interrupted: the source has further rows.", returncode=INTERRUPTED)

    def _import(
        self, source: Source, checkpoint: Checkpoint, settings: Settings, path: Path, options: dict[str, Any]
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with lock(path, "import_logs", f"imports {source.table}"):
            former_refused = checkpoints.refused_of(path)
            if not options["restart"]:
                checkpoint = Checkpoint.load(path, checkpoint)
                if not source.has_head(checkpoint.head):
                    raise CommandFailed(
                        f"{source.identity} begins otherwise than the file of the checkpoint {path}. Choose "
                        "another --checkpoint, or read all rows with --restart."
                    )
            if rows := checkpoint.counts.rows:
                self.stdout.write(f"Continues after {rows:,} rows, at the checkpoint {path}.")
            refused_path = str((options["refused"] or path.with_suffix(".refused.ndjson")).resolve())
            refused = RefusedRows(
                Path(refused_path), checkpoint.refused_bytes, is_own=refused_path == former_refused
            )
            checkpoint = replace(checkpoint, refused=refused_path)
            # That of the marks so far, also if the file was moved.
            settings = replace(settings, import_id=checkpoint.import_id)
            number = options["processes"]
            with processes.pool(settings, number) as executor:
                run = Run(source, checkpoint, executor, number * processes.GROUPS_PER_PROCESS)
                try:
                    with _shown(run, source):
                        run.write(path, refused)
                finally:
                    refused.close()
                    self._summarize(run.checkpoint)
            if run.is_stopped:
                raise KeyboardInterrupt
            self._build_digests(run.checkpoint, path)
        if run.checkpoint.counts.refused:
            raise CommandError(
                f"Refused rows: {run.checkpoint.counts.refused:,}. Their reasons: {refused.path}"
            )

    def _summarize(self, checkpoint: Checkpoint) -> None:
        counts = checkpoint.counts
        self.stdout.write(
            f"Rows: {counts.rows:,}. Written: {counts.written:,}, in the table already: {counts.existing:,}, "
            f"skipped because their retention has passed: {counts.expired:,}, refused: {counts.refused:,}. "
            f"Write units: {counts.write_units:,.0f}."
        )

    def _build_digests(self, checkpoint: Checkpoint, path: Path) -> None:
        """Build the digests of the imported days. Raise CommandError: the import itself is complete."""
        if checkpoint.days and digest_items.is_on():
            if seconds := digests.seconds_to_wait(checkpoint):
                self.stderr.write(f"Waiting {seconds:.0f} seconds, until the indexes have all logs.")
                time.sleep(seconds)
            try:
                self._build(checkpoint)
            except (Conflict, ItemMissing, *AWS_ERRORS) as error:
                raise CommandError(f"All rows are read, but digests are missing: {error}. {AGAIN}") from error
        replace(checkpoint, days=[]).save(path)

    def _build(self, checkpoint: Checkpoint) -> None:
        if not digest_items.DigestItem.exists():
            return
        digests.end_marks(checkpoint)
        scheduled, own = state.read()[0].format, state.own_format()
        if scheduled and scheduled[0] != own[0]:
            self.stdout.write("The scheduled builder builds the digests: this Python builds another format.")
            return
        with digests_progress("Digests", sys.stderr) as show:

            def report(segment: Progress) -> None:
                show(segment.logs, segment.reached)

            result = digests.build(checkpoint, report)
        self.stdout.write(f"Built {result.segments:,} segments of {result.logs:,} logs.")


def _table() -> str:
    """Return the identity of the table of logs. Raise CommandFailed if there is no such table."""
    try:
        return tables.identity(LogItem)
    except TableDoesNotExist as error:
        raise CommandFailed(
            f"The table {LogItem.Meta.table_name} does not exist. Set LOGS_TABLE, or create it: "
            "manage.py create_tables"
        ) from error
    except AWS_ERRORS as error:
        raise CommandFailed(f"The table {LogItem.Meta.table_name} cannot be read: {error}") from error


@contextmanager
def _shown(run: Run, source: Source) -> Iterator[None]:
    """Show the progress of a run. Ctrl-C stops it, and a second one ends it at once."""

    def stop(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        run.stop()

    total = max(0, (source.total() or 0) - run.checkpoint.counts.rows)
    handlers = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        with progress.bar(total, "Importing", "row", sys.stderr) as bar:
            run.report = bar.update
            yield
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)


def units_per_process(limit: int | None, number: int) -> float | None:
    """Return the write units per second of one process. None is no limit."""
    if limit is None:
        limit = 0 if endpoints.is_local() else DEFAULT_WRITE_UNITS
    return limit / number if limit else None
