"""The formats of exported files: CSV, NDJSON and JSON."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from logs.exports.cells import neutralize
from logs.storage import documents
from logs.storage.documents import Content

# The columns of the payload and of the fields that Logsite does not know.
CONTENT_COLUMNS = ("payload", "extra")
# Stored JSON may have line breaks between its values. The other three are within its texts, and some readers
# of lines split at them.
LINE_BREAKS = {"\n": " ", "\r": " ", "\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"}


class Format(Protocol):
    """How rows become text."""

    content_type: str

    def head(self, names: Iterable[str]) -> str:
        """Return the text before the rows. `names` are the columns."""

    def row(self, values: Mapping[str, Any], content: Content | None = None, number: int = 0) -> str:
        """Return one row. `content` has its payload and extra fields, `number` counts from 0."""

    def foot(self, rows: int, reason: str | None = None, address: str | None = None) -> str:
        """Return the text after the rows.

        `reason` is set if the file is incomplete, and `address` is where it continues.
        """


class Csv:
    """CSV for spreadsheets (RFC 4180). Without the byte order mark, Excel guesses the encoding."""

    content_type = "text/csv; charset=utf-8"

    def head(self, names: Iterable[str]) -> str:
        """Return the names of the columns."""
        return "\ufeff" + self._line(names)

    def row(self, values: Mapping[str, Any], content: Content | None = None, number: int = 0) -> str:
        """Return a row in which no cell is a formula."""
        cells = ["" if value is None else str(value) for value in values.values()]
        if content:
            cells += [content.payload_text or "", content.extra_text or ""]
        return self._line(cells)

    def foot(self, rows: int, reason: str | None = None, address: str | None = None) -> str:
        """Return a comment line if the file is incomplete."""
        return (
            self._line([f"# Truncated after {rows} rows: {reason}. Continue at {address}"]) if reason else ""
        )

    @staticmethod
    def _line(cells: Iterable[str]) -> str:
        line = io.StringIO()
        csv.writer(line).writerow(map(neutralize, cells))
        return line.getvalue()


class Ndjson:
    """One JSON object a line. The last line, `_logsite`, says whether the file is complete."""

    content_type = "application/x-ndjson"

    def head(self, names: Iterable[str]) -> str:
        """Return an empty text."""
        return ""

    def row(self, values: Mapping[str, Any], content: Content | None = None, number: int = 0) -> str:
        """Return a row."""
        return json_line(values, content) + "\n"

    def foot(self, rows: int, reason: str | None = None, address: str | None = None) -> str:
        """Return the last line."""
        return json_line({"_logsite": _summary(rows, reason, address)}) + "\n"


class Json:
    """One JSON object with the array `logs`. `_logsite` says whether the file is complete."""

    content_type = "application/json"

    def head(self, names: Iterable[str]) -> str:
        """Return the beginning of the array."""
        return '{"logs": ['

    def row(self, values: Mapping[str, Any], content: Content | None = None, number: int = 0) -> str:
        """Return a row, after a comma unless it is the first one."""
        return (",\n" if number else "\n") + json_line(values, content)

    def foot(self, rows: int, reason: str | None = None, address: str | None = None) -> str:
        """Return the end of the array, and the summary."""
        return f'\n], "_logsite": {json_line(_summary(rows, reason, address))}}}\n'


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
