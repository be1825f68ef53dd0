"""The rows of a source, and the interface of sources."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from ingest.cli.errors import CommandFailed

# A JSON value, which a checkpoint keeps. `Source.rows` continues after the row with this position.
Position = int | str | list[int | str]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a source.

    `kind` is the type as the source writes it, such as `datetime(6)`, or `text` and `JSON` in files.
    """

    name: str
    kind: str
    is_primary_key: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a source.

    `key` is the primary key as text, its parts joined by commas, or the number of the record in a file. It
    names the row in messages, and makes the derived id. `values` are by column: values of PyMySQL, texts of a
    CSV file, or JSON values.
    """

    key: str
    position: Position
    values: dict[str, Any]


class BadRow(Exception):
    """A row that a source or a mapping refuses.

    `position` is None if a mapping refuses it. The reason contains no value of the row.
    """

    def __init__(self, key: str, column: str | None, reason: str, position: Position | None = None) -> None:
        super().__init__(key, column, reason, position)
        self.key = key
        self.column = column
        self.reason = reason
        self.position = position

    def __str__(self) -> str:
        place = f", column {self.column}" if self.column else ""
        return f"row {self.key}{place}: {self.reason}"


class Source(Protocol):
    """A table or a file whose rows become logs.

    `table` is the table, or the name of the file without folder and suffixes. It is part of the derived ids.
    `identity` is the whole address without user and password: a checkpoint belongs to it.
    """

    table: str
    identity: str

    def columns(self) -> list[Column]:
        """Return the columns in the order of the source. Of a file: those of its first records."""
        ...

    def total(self) -> int | None:
        """Return the approximate number of rows, or None if counting them is expensive."""
        ...

    def head(self) -> str:
        """Return what identifies the beginning of a file, which a checkpoint keeps. Empty for a table."""
        ...

    def has_head(self, head: str) -> bool:
        """Return whether this is the source with a head, although it may have grown."""
        ...

    def rows(self, after: Position | None = None) -> Iterator[Row | BadRow]:
        """Yield the rows in primary-key order, or those after a position. The memory stays flat.

        Raise SourceError if the source cannot be read.
        """
        ...


class SourceError(CommandFailed):
    """A source that cannot be opened or read. The text has no password and no value of a row."""
