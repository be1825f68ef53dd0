"""`manage.py export_logs`: write the logs of a filter to a file."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.core.management.base import BaseCommand, CommandError
from django.http import QueryDict

from logs import reader, signals
from logs.characters import visible
from logs.export_form import reject_page_parameters
from logs.exports.chunks import BEGINNING, Chunk, chunks
from logs.exports.formats import FORMATS
from logs.exports.local_file import LocalFile, NotResumable
from logs.exports.spec import WHOLE_ATTRIBUTES, Spec
from logs.form_fields import DEFAULT_LIMIT
from logs.management.progress import Show, progress
from logs.models import ROW_ATTRIBUTES
from logs.page_form import PageForm
from logs.plan import PageQuery
from logs.storage.errors import StoreUnavailable

INTERRUPTED = 130  # the exit status of a shell after Ctrl-C
# A checkpoint is written so often, and the progress is shown.
CHUNK_CHARACTERS, CHUNK_SECONDS = 4_000_000, 1.0
STANDARD_OUTPUT = "-"
# The options that a checkpoint has.
CHOSEN_ONCE = ("filters", "format", "columns", "payloads", "own_accounts")


class Command(BaseCommand):
    """Export the logs of a filter. An interrupted export continues at its checkpoint."""

    help = (
        "Writes the logs of a filter to a file or to standard output. The filters are those of the listing, "
        "such as --filter account_id=7 --filter 'range=last month'. Times are in the time zone of --filter "
        "tz=Europe/Berlin, by default UTC. Required permissions on AWS: dynamodb:Query, dynamodb:GetItem and "
        "dynamodb:BatchGetItem on the tables of logs and of digests, and on their indexes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the filter, the format and the file."""
        parser.add_argument(
            "--filter",
            type=_pair,
            action="append",
            default=[],
            dest="filters",
            metavar="NAME=VALUE",
            help="a filter of the listing; repeat it for several: --filter=-type=login excludes a value",
        )
        parser.add_argument("--format", choices=FORMATS, help="default: csv")
        parser.add_argument(
            "--columns",
            type=_columns,
            default=(),
            metavar="NAMES",
            help="names separated by commas; default: all",
        )
        parser.add_argument("--payloads", action="store_true", help="with payloads and extra fields")
        parser.add_argument(
            "--own-accounts",
            action="store_true",
            help="with the logs of Logsite itself, such as the audit trail",
        )
        parser.add_argument(
            "--output",
            default=STANDARD_OUTPUT,
            metavar="FILE",
            help="a new file, compressed if its name ends in .gz; default: standard output",
        )
        parser.add_argument(
            "--resume",
            action="store_true",
            help="continue the interrupted export of --output, with its filter",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file. Raise CommandError for wrong options, an error of AWS, or after Ctrl-C."""
        path = None if options["output"] == STANDARD_OUTPUT else Path(options["output"])
        try:
            if path is None:
                self._write_output(options)
            else:
                self._write_file(path, options)
        except NotResumable as error:
            raise CommandError(f"--resume is not possible: {error}.") from error
        except StoreUnavailable as error:
            raise CommandError(f"DynamoDB refused: {error}. {_next_step(path)}") from error
        except FileExistsError as error:
            raise CommandError(f"{error}. Choose another file, delete it, or add --resume.") from error
        except OSError as error:
            raise CommandError(f"The output is not writable: {error}. {_next_step(path)}") from error
        except KeyboardInterrupt as error:
            raise CommandError(f"Interrupted. {_next_step(path)}", returncode=INTERRUPTED) from error

    def _write_output(self, options: dict[str, Any]) -> None:
        if options["resume"]:
            raise CommandError("--resume needs --output: standard output has no checkpoint.")
        spec = _spec(options)
        _send_signal(spec)
        with progress("Export", sys.stderr) as show:
            for chunk in chunks(spec, BEGINNING, CHUNK_CHARACTERS, CHUNK_SECONDS):
                self.stdout.write(chunk.text, ending="")
                _show(show, chunk)
        self.stdout.flush()

    def _write_file(self, path: Path, options: dict[str, Any]) -> None:
        if options["resume"]:
            if any(options[name] for name in CHOSEN_ONCE):
                raise CommandError("--resume continues with the options of the export: leave the others out.")
            file = LocalFile.resume(path)
        else:
            file = LocalFile(path, _spec(options))
            file.begin()
        _send_signal(file.spec)
        with progress("Export", sys.stderr, file.checkpoint.rows) as show:
            for chunk in chunks(file.spec, file.checkpoint, CHUNK_CHARACTERS, CHUNK_SECONDS):
                file = file.append(chunk)
                _show(show, chunk)
        file.finish()
        if options["verbosity"] > 0:
            self.stdout.write(f"Wrote {file.checkpoint.rows:,} logs to {path}.")


def _spec(options: dict[str, Any]) -> Spec:
    """Return the export of the options. Raise CommandError with the errors of the filter."""
    own = options["own_accounts"]
    form = PageForm(
        QueryDict(urlencode(options["filters"])),
        raw=urlencode(options["filters"]),
        has_logs=reader.KeyLookup(includes_own=own),
        spellings=reader.ChoicesLookup().spellings,
        includes_own=own,
    )
    if form.is_valid():
        reject_page_parameters(form)
    if form.errors:
        lines = [f"{name}: {text}" for name, texts in form.errors_by_parameter().items() for text in texts]
        raise CommandError("\n".join(["Please correct --filter.", *map(visible, lines)]))
    plan = form.first_page().plan
    return Spec(plan, options["format"] or "csv", options["columns"], options["payloads"], form.zone)


def _send_signal(spec: Spec) -> None:
    query = PageQuery(spec.plan, None, DEFAULT_LIMIT)
    signals.logs_exported.send_robust(sender=Command, request=None, query=query, format=spec.format)


def _show(show: Show, chunk: Chunk) -> None:
    if chunk.reached:
        show(chunk.rows, chunk.reached)


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise ArgumentTypeError(f"must have the form NAME=VALUE, not '{visible(text)}'")
    return name, value


def _columns(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    existing = (*ROW_ATTRIBUTES, *WHOLE_ATTRIBUTES)
    for name in names:
        if name not in existing:
            raise ArgumentTypeError(f"must be names of {', '.join(existing)}, not '{visible(name)}'")
    return names


def _next_step(path: Path | None) -> str:
    if path is None:
        return "The output is incomplete."
    return f"To continue: manage.py export_logs --output {path} --resume"
