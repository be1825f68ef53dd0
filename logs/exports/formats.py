"""The formats of exported files: CSV, NDJSON and JSON."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Protocol

from logs.exports.cells import neutralize_row
from logs.storage import documents
from logs.storage.documents import Content

# The columns of the payload and of the fields that Logsite does not know.
CONTENT_COLUMNS = ("payload", "extra")
# Stored JSON may have line breaks between its values. The other three are within its texts, and some readers
# of lines split at them.
LINE_BREAKS = {"\n": " ", "\r": " ", "\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"}

# The columns that are numbers in JSON.
NUMBERS = frozenset({"payload_size"})

# The texts of a log by column, and its payload and extra fields if they are exported.
Row = tuple[Sequence[str | None], Content | None]


class Format(Protocol):
    """How rows become text."""

    content_type: str

    def head(self, names: Iterable[str]) -> str:
        """Return the text before the rows. `names` are the columns."""

    def rows(self, names: Sequence[str], rows: Iterable[Row], number: int = 0) -> list[str]:
        """Return the text of each row. `number` is that of the first one, from 0."""

    def foot(self, rows: int, reason: str | None = None, address: str | None = None) -> str:
        """Return the text after the rows.

        `reason` is set if the file is incomplete, and `address` is where it continues.
        """


class Csv:
    """CSV for spreadsheets (RFC 4180). Without the byte order mark, Excel guesses the encoding."""

    content_type = "text/csv; charset=utf-8"

    def head(self, names: Iterable[str]) -> str:
        """Return the names of the columns."""
        return "\ufeff" + self._lines([list(names)])[0]

    def rows(self, names: Sequence[str], rows: Iterable[Row], number: int = 0) -> list[str]:
        """Return rows in which no cell is a formula."""
        return self._lines(map(_cells, rows))

    def foot(self, rows: int, reason: str | None = None, address: str | None = None) -> str:
        """Return a comment line if the file is incomplete."""
        if not reason:
            return ""
        return self._lines([[f"# Truncated after {rows} rows: {reason}. Continue at {address}"]])[0]

    @staticmethod
    def _lines(rows: Iterable[list[str]]) -> list[str]:
        lines: list[str] = []
        # It writes each line by one call.
        csv.writer(SimpleNamespace(write=lines.append)).writerows(map(neutralize_row, rows))
        return lines


def _cells(row: Row) -> list[str]:
    values, content = row
    cells = [value or "" for value in values]
    return [*cells, content.payload_text or "", content.extra_text or ""] if content else cells


class Ndjson:
    """One JSON object a line. The last line, `_logsite`, says whether the file is complete."""

    content_type = "application/x-ndjson"

    def head(self, names: Iterable[str]) -> str:
        """Return an empty text."""
        return ""

    def rows(self, names: Sequence[str], rows: Iterable[Row], number: int = 0) -> list[str]:
        """Return one line for each row."""
        return [f"{text}\n" for text in _objects(names, rows)]

    def foot(self, rows: int, reason: str | None = None, address: str | None = None) -> str:
        """Return the last line."""
        return json_line({"_logsite": _summary(rows, reason, address)}) + "\n"


class Json:
    """One JSON object with the array `logs`. `_logsite` says whether the file is complete."""

    content_type = "application/json"

    def head(self, names: Iterable[str]) -> str:
        """Return the beginning of the array."""
        return '{"logs": ['

    def rows(self, names: Sequence[str], rows: Iterable[Row], number: int = 0) -> list[str]:
        """Return rows, each after a comma unless it is the first."""
        return [(",\n" if each else "\n") + text for each, text in enumerate(_objects(names, rows), number)]

    def foot(self, rows: int, reason: str | None = None, address: str | None = None) -> str:
        """Return the end of the array, and the summary."""
        return f'\n], "_logsite": {json_line(_summary(rows, reason, address))}}}\n'


def _objects(names: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """Yield each row as a JSON object in one line."""
    for values, content in rows:
        fields: dict[str, Any] = dict(zip(names, values, strict=True))
        for name in NUMBERS & fields.keys():
            fields[name] = None if fields[name] is None else int(fields[name])
        yield json_line(fields, content)


def json_line(values: Mapping[str, Any], content: Content | None = None) -> str:
    """Return values as a JSON object in one line. Payload and extra fields are JSON already."""
    if content is None:
        text = json.dumps(values, ensure_ascii=False)
    else:
        text = documents.with_values(dict(values), content)
    for character, replacement in LINE_BREAKS.items():
        text = text.replace(character, replacement)
    return text


def _summary(rows: int, reason: str | None, address: str | None) -> dict[str, Any]:
    return {"rows": rows, "complete": reason is None, "cut": reason, "next": address}


FORMATS: dict[str, Format] = {"csv": Csv(), "ndjson": Ndjson(), "json": Json()}
