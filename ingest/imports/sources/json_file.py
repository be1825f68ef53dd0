"""NDJSON, and JSON arrays of objects, as a source."""

from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from ingest import messages
from ingest.cli import ndjson
from ingest.cli.log_file import LogFile
from ingest.imports.rows import BadRow, Column, Position, Row
from ingest.imports.sources.text_file import TextFile, number
from ingest.messages import InvalidMessage
from ingest.wire.characters import note_surrogates, replace_surrogates

KINDS = {bool: "true or false", int: "number", float: "number", str: "text", list: "array", dict: "object"}


class JsonFile(TextFile):
    """The objects of a file: one per line, or the elements of an array.

    An array is split without parsing it whole.
    """

    def columns(self) -> list[Column]:
        """Return the names of the first objects, in their order."""
        kinds: dict[str, str] = {}
        for row in self.sample():
            if isinstance(row, Row):
                for name, value in row.values.items():
                    kinds[name] = kinds.get(name) or KINDS.get(type(value), "")
        return [Column(name, kind or "null") for name, kind in kinds.items()]

    def rows(self, after: Position | None = None) -> Iterator[Row | BadRow]:
        """Yield the objects after a number, which is that of the line unless the file is an array."""
        first = number(after) + 1
        with self.open() as file:
            records = LogFile(cast("BinaryIO", file), self.path.name).records()
            for place, record in enumerate(records, 1):
                if place < first or not record:
                    continue
                try:
                    yield Row(str(place), place, _parse(record))
                except InvalidMessage as error:
                    yield BadRow(str(place), None, str(error), place)


def _parse(record: bytes) -> dict[str, Any]:
    """Return the object of a record. Raise InvalidMessage. Values beyond MAX_NODES stay texts."""
    if len(record) > ndjson.MAX_LINE_BYTES:
        raise InvalidMessage("too_large", {"body": [f"must have at most {ndjson.MAX_LINE_BYTES:,} bytes"]})
    text, replaced = replace_surrogates(ndjson.decode(record))
    return note_surrogates(messages.parse_object(text), replaced)
