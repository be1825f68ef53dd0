"""The source and the mapping of a command, from its options."""

import argparse
import codecs
import tomllib
from collections.abc import Mapping as Options
from datetime import tzinfo
from pathlib import Path
from typing import Any

from ingest.cli import file_format
from ingest.cli.arguments import whole_number
from ingest.cli.errors import CommandFailed
from ingest.imports import column_names, presets, values
from ingest.imports.mapping import EXTRA, FIELDS, PAYLOAD, REQUIRED, Mapping, Origin
from ingest.imports.rows import Source, SourceError
from ingest.imports.sources import mysql_address
from ingest.imports.sources.csv_file import CsvFile
from ingest.imports.sources.json_file import JsonFile
from ingest.imports.sources.mysql import MysqlSource
from ingest.imports.values import Clock
from logs import zones

JSON = "json"
MAX_PROCESSES = 64
# The options that --mapping may have too, and their types in TOML.
FILE_KEYS: dict[str, type] = {
    "map": dict,
    "drop": list,
    "preset": str,
    "time_zone": str,
    "repeated_hour": str,
}
KINDS = {"dict": "a table of texts", "list": "a list of texts", "str": "a text"}


def add_processes_argument(parser: argparse.ArgumentParser, text: str) -> None:
    """Add the number of processes to the arguments of a command. `text` says what they are."""
    parser.add_argument(
        "--processes",
        type=whole_number(1, MAX_PROCESSES),
        default=4,
        metavar="N",
        help=f"{text}; default: 4",
    )


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the source and its mapping to the arguments of a command."""
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="mysql://USER:PASSWORD@HOST:PORT/DATABASE, or a file: CSV with a header, NDJSON, or a JSON "
        f"array, compressed by gzip or not; {mysql_address.PASSWORD} may hold the password",
    )
    parser.add_argument("--table", metavar="NAME", help="the table of the database")
    parser.add_argument(
        "--map",
        type=_pair,
        action="append",
        default=[],
        metavar="FIELD=COLUMN",
        help="the column of a field, or FIELD=:TEXT for the same text in each log, or FIELD= for none; FIELD "
        "is a field of a log, payload.NAME or extra.NAME; other fields are guessed by the names of columns",
    )
    parser.add_argument(
        "--mapping",
        type=Path,
        metavar="FILE",
        help=f"TOML file with {', '.join(FILE_KEYS)}; the options of the command come first",
    )
    parser.add_argument(
        "--preset",
        choices=presets.NAMES,
        help="auditlog: a table of django-auditlog; easyaudit: one of django-easy-audit; table: the columns "
        "have the names of the fields, nothing else is guessed",
    )
    parser.add_argument(
        "--drop",
        action="append",
        default=[],
        metavar="COLUMN",
        help="leave a column out; other columns without a field become unknown fields of the log",
    )
    parser.add_argument(
        "--time-zone", metavar="NAME", help="the zone of times without an offset; default: UTC"
    )
    parser.add_argument(
        "--repeated-hour",
        choices=values.REPEATED,
        help="a time that the clock of the zone shows twice, in autumn: refuse the row (default), or take "
        "the first or the second moment",
    )
    parser.add_argument(
        "--encoding",
        type=_encoding,
        metavar="NAME",
        help="the encoding of a file; of a database: of texts that are not in the encoding of their column",
    )


def open_source(options: Options[str, Any]) -> Source:
    """Return the source of the options. Raise SourceError if it cannot be read."""
    address = options["source"]
    if mysql_address.is_address(address):
        return MysqlSource(address, options["table"], options["encoding"])
    if options["table"]:
        raise SourceError("--table is for databases: a file has one table.")
    path = Path(address)
    if "://" in address or not path.is_file():
        # The text may be a mistyped address with a password.
        raise SourceError(f"SOURCE is no file. {mysql_address.RULE}")
    kind = JsonFile if _is_json(path, options["encoding"]) else CsvFile
    return kind(path, options["encoding"])


def make_mapping(options: Options[str, Any], source: Source, *, is_complete: bool = True) -> Mapping:
    """Return the mapping of a source. Raise CommandFailed for wrong options.

    A field that each log needs must have a column, unless `is_complete` is False, for `--inspect`.
    """
    settings = _read_file(options["mapping"]) if options["mapping"] else {}
    columns = source.columns()
    names = [column.name for column in columns]
    name = options["preset"] or settings.get("preset")
    if name is not None and name not in presets.NAMES:
        raise CommandFailed(f"--preset must be one of {', '.join(presets.NAMES)}, not {name!r}.")
    clock = Clock(_zone(options["time_zone"] or settings.get("time_zone")), _repeated(options, settings))
    dropped = {*settings.get("drop", []), *options["drop"]}
    chosen = settings.get("map", {}) | dict(options["map"])
    preset = _preset(name, source, set(names))
    origins: dict[str, Origin] = {}
    if preset is None:
        taken = dropped | {text for text in chosen.values() if not text.startswith(":")}
        rest = [each for each in names if each not in taken]
        fields = [each for each in FIELDS if each not in chosen]
        guesses = column_names.guess(rest, fields, has_synonyms=name is None)
        origins = {field: Origin(column) for field, column in guesses.items()}
    for field, text in chosen.items():
        if text:
            origins[field] = Origin(text=text[1:]) if text.startswith(":") else Origin(text)
    # The fields of a JSON object may begin in a later record.
    _check(origins, dropped, names, is_open=isinstance(source, JsonFile))
    if preset is None and is_complete:
        _check_required(origins, names)
    return Mapping(
        source.table,
        origins,
        clock,
        preset,
        frozenset(dropped),
        frozenset(column.name for column in columns if column.kind == JSON),
    )


def _is_json(path: Path, encoding: str | None) -> bool:
    with CsvFile(path, encoding).open() as file:
        head = file_format.strip_marks(file.peek(file_format.HEAD_BYTES)).lstrip()
    return head.startswith((b"{", b"["))


def _preset(name: str | None, source: Source, columns: set[str]) -> presets.Event | None:
    if name is None or name == presets.TABLE:
        return None
    labels = {}
    if isinstance(source, MysqlSource):
        rows = source.lookup(*presets.CONTENT_TYPES)
        labels = {key: ".".join(parts) for key, parts in rows.items()}
    elif "content_type_id" in columns and not {"app_label", "model"} <= columns:
        raise CommandFailed(
            f"--preset {name} needs the columns app_label and model of django_content_type in a file. Export "
            "them with the table, or import from the database."
        )
    preset = presets.choose(name, columns, presets.Labels(labels))
    if preset is None:
        raise CommandFailed(f"--preset {name}: {source.table} does not have the columns of this package.")
    return preset


def _check(origins: dict[str, Origin], dropped: set[str], names: list[str], *, is_open: bool) -> None:
    """Raise CommandFailed for a field or a column that does not exist."""
    for field, origin in origins.items():
        is_member = field.startswith((PAYLOAD, EXTRA)) and not field.endswith(".")
        if field not in FIELDS and not is_member:
            raise CommandFailed(
                f"--map: {field!r} is no field of a log. The fields are {', '.join(FIELDS)}, payload.NAME "
                "for a member of the payload, and extra.NAME for any other field."
            )
        if origin.column is not None and origin.column not in names and not is_open:
            raise CommandFailed(f"--map {field}: {_no_column(origin.column, names)}")
    if "payload" in origins and any(field.startswith(PAYLOAD) for field in origins):
        raise CommandFailed("--map: the payload is a column, or consists of payload.NAME. Add --map payload=")
    for column in dropped:
        if column not in names and not is_open:
            raise CommandFailed(f"--drop: {_no_column(column, names)}")


def _check_required(origins: dict[str, Origin], names: list[str]) -> None:
    if missing := [field for field in REQUIRED if field not in origins]:
        raise CommandFailed(
            f"These fields have no column: {', '.join(missing)}. Add --map {missing[0]}=COLUMN, or --map "
            f"{missing[0]}=:TEXT for the same text in each log. The columns are {', '.join(names)}."
        )


def _no_column(column: str, names: list[str]) -> str:
    return f"{column!r} is no column of the source. The columns are {', '.join(names)}."


def _read_file(path: Path) -> dict[str, Any]:
    """Return the options in a file. Raise CommandFailed."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandFailed(f"--mapping {path} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise CommandFailed(f"--mapping {path} is no TOML in UTF-8: {error}.") from error
    for key, value in content.items():
        if key not in FILE_KEYS:
            raise CommandFailed(f"--mapping {path}: {key!r} is none of {', '.join(FILE_KEYS)}.")
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
        if not isinstance(value, FILE_KEYS[key]) or not all(isinstance(part, str) for part in parts):
            raise CommandFailed(f"--mapping {path}: {key} must be {KINDS[FILE_KEYS[key].__name__]}.")
    return content


def _zone(name: str | None) -> tzinfo:
    try:
        return zones.parse(name or zones.UTC_NAME)
    except zones.UnknownZone:
        raise CommandFailed(f"--time-zone must be a zone such as Europe/Berlin, not {name!r}.") from None


def _repeated(options: Options[str, Any], settings: Options[str, Any]) -> str:
    choice: str = options["repeated_hour"] or settings.get("repeated_hour", values.REFUSE)
    if choice not in values.REPEATED:
        raise CommandFailed(f"--repeated-hour must be one of {', '.join(values.REPEATED)}, not {choice!r}.")
    return choice


def _pair(text: str) -> tuple[str, str]:
    field, separator, column = text.partition("=")
    if not separator or not field:
        raise argparse.ArgumentTypeError(f"must be FIELD=COLUMN, FIELD=:TEXT or FIELD=, not {text!r}")
    return field, column


def _encoding(text: str) -> str:
    try:
        is_text = codecs.lookup(text)._is_text_encoding
    except LookupError:
        is_text = False
    if not is_text:
        raise argparse.ArgumentTypeError(f"must be an encoding of Python such as cp1252, not {text!r}")
    return text
