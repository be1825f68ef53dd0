"""The columns of a source, their mapping and the first messages, as text."""

import json
from collections.abc import Iterator
from itertools import islice

from ingest.cli.terminal import escape_controls
from ingest.imports.mapping import REQUIRED, Mapping
from ingest.imports.rows import BadRow, Row, Source
from ingest.writing.body_masking import mask_body

SAMPLES = 3


def lines(source: Source, mapping: Mapping) -> Iterator[str]:
    """Yield the lines of `--inspect`, without control characters.

    The samples are masked as the writer masks them.
    """
    total = source.total()
    yield f"{source.table}: {f'about {total:,} rows' if total is not None else 'unknown number of rows'}"
    yield ""
    columns = source.columns()
    fields = {column: field for field, column in reversed(mapping.columns_by_field().items())}
    width = max((len(column.name) for column in columns), default=0)
    kind_width = max((len(column.kind) for column in columns), default=0)
    for column in columns:
        key = " (primary key)" if column.is_primary_key else ""
        name, kind = escape_controls(column.name), escape_controls(column.kind)
        yield f"  {name:{width}}  {kind:{kind_width}}  → {_target(column.name, fields, mapping)}{key}"
    literals = {name: origin.text for name, origin in mapping.origins.items() if origin.column is None}
    for field, text in literals.items():
        yield f"  {escape_controls(repr(text)):{width}}  {'':{kind_width}}  → {field}"
    if missing := [name for name in REQUIRED if not mapping.has(name)]:
        yield f"  No column: {', '.join(missing)}. Add --map FIELD=COLUMN or --map FIELD=:TEXT."
    for row in islice(source.rows(), SAMPLES):
        yield ""
        yield from _sample(row, mapping)


def _target(column: str, fields: dict[str, str], mapping: Mapping) -> str:
    if column in fields:
        return fields[column]
    if column in mapping.dropped:
        return "(dropped)"
    return "(used by the preset)" if mapping.is_used(column) else "unknown field"


def _sample(row: Row | BadRow, mapping: Mapping) -> Iterator[str]:
    if isinstance(row, BadRow):
        yield f"Refused: {escape_controls(str(row))}"
        return
    try:
        message = mapping.message(row)
    except BadRow as error:
        yield f"Refused: {escape_controls(str(error))}"
        return
    yield f"Row {escape_controls(row.key)}:"
    text = mask_body(json.dumps(message, ensure_ascii=False))
    for line in json.dumps(json.loads(text), ensure_ascii=False, indent=2).splitlines():
        yield f"  {escape_controls(line)}"
