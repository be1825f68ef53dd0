"""CSV with a header as a source."""

import csv
from collections.abc import Iterator
from typing import Any, BinaryIO

from ingest.cli.file_format import strip_marks
from ingest.imports.rows import BadRow, Column, Position, Row, SourceError
from ingest.imports.sources.text_file import TextFile, number
from ingest.messages import MAX_INFLATED_BYTES

DELIMITERS = ",;\t|"
# MySQL exports NULL as \\N. An empty value is NULL too: CSV does not tell them apart.
NULLS = {"", "\\N"}
UTF_8 = "is not in UTF-8; choose the encoding of the file with --encoding, for example --encoding cp1252"


class CsvFile(TextFile):
    """The records below a header. The delimiter is the one that splits the header into most columns.

    A value of white space stays. An empty value and \\N are None.
    """

    def columns(self) -> list[Column]:
        """Return the columns of the header."""
        with self.open() as file:
            return [Column(name, "text") for name in _Records(file, self.path.name).header]

    def rows(self, after: Position | None = None) -> Iterator[Row | BadRow]:
        """Yield the records after a number. The header is not counted, and neither are blank lines."""
        first = number(after) + 1
        with self.open() as file:
            records = _Records(file, self.path.name)
            for place, (cells, line) in enumerate(records.read(), 1):
                if place >= first:
                    yield _row(records.header, cells, place, line)


class _Records:
    """A reader of CSV that reports the lines of its records."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        # The size of a message. A quote that is never closed ends there, too.
        csv.field_size_limit(MAX_INFLATED_BYTES)
        self._file, self._name = file, name
        self._line = 0
        lines = self._lines()
        head = next(lines, "").removeprefix("\ufeff")
        try:
            head.encode()
            delimiter = max(DELIMITERS, key=lambda each: len(next(csv.reader([head], delimiter=each))))
            self.header = [column.strip() for column in next(csv.reader([head], delimiter=delimiter))]
        except UnicodeEncodeError:
            raise SourceError(f"The first line of {name} {UTF_8}.") from None
        except csv.Error as error:
            raise SourceError(
                f"The first line of {name}: {error}. Lines must end with LF or CR LF."
            ) from error
        if "" in self.header or len(set(self.header)) < len(self.header):
            raise SourceError(
                f"The first line of {name} must name the columns, each once and none of them empty."
            )
        self._reader = csv.reader(lines, delimiter=delimiter)

    def read(self) -> Iterator[tuple[list[str], int]]:
        """Yield the values of each record, and the number of its first line."""
        while True:
            line = self._line + 1
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise SourceError(
                    f"{self._name}, record from line {line}: {error}. A quote may be unclosed."
                ) from error
            if cells:
                yield cells, line

    def _lines(self) -> Iterator[str]:
        while data := self._file.readline(MAX_INFLATED_BYTES + 1):
            self._line += 1
            if len(data) > MAX_INFLATED_BYTES:
                limit = f"{MAX_INFLATED_BYTES:,} bytes"
                raise SourceError(f"{self._name}, line {self._line}: a line must have at most {limit}.")
            if self._line == 1:
                data = strip_marks(data)
            # A byte that is no UTF-8 becomes a lone surrogate, which `_row` refuses.
            yield data.decode(errors="surrogateescape")


def _row(header: list[str], cells: list[str], place: int, line: int) -> Row | BadRow:
    key = str(place)
    if len(cells) != len(header):
        reason = f"has {len(cells)} values, but the header has {len(header)} columns (line {line})"
        return BadRow(key, None, reason, place)
    values: dict[str, Any] = {}
    for column, cell in zip(header, cells, strict=True):
        try:
            cell.encode()
        except UnicodeEncodeError:
            return BadRow(key, column, f"{UTF_8} (line {line})", place)
        values[column] = None if cell in NULLS else cell
    return Row(key, place, values)
