"""The columns of a table: from the server's bytes to values, and from a key to a position."""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from uuid import UUID

from ingest.imports.rows import Column, SourceError

INTEGERS = {"tinyint", "smallint", "mediumint", "int", "bigint", "year"}
BINARIES = {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"}
# They are sorted by their numbers, but compared with a literal as texts.
NUMBERED = {"enum", "set", "bit"}
UUID_KIND = "binary(16)"
# Names of MySQL that Python does not have, or has for another encoding.
ENCODINGS = {
    # As MySQL's latin1. Python's `cp1252` has no characters for five bytes.
    "latin1": "cp1252",
    "utf8mb3": "utf-8",
    "utf8mb4": "utf-8",
    "utf8": "utf-8",
    "ucs2": "utf-16-be",
    "utf16": "utf-16-be",
    "utf16le": "utf-16-le",
    "utf32": "utf-32-be",
}
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?")

Decode = Callable[[bytes], object]


@dataclass(frozen=True)
class TableColumn:
    """A column, as `information_schema` describes it."""

    name: str
    data_type: str  # such as `bigint`
    column_type: str  # such as `bigint(20) unsigned`
    charset: str | None  # None unless it has texts
    is_json: bool  # also MariaDB's LONGTEXT with the condition json_valid
    key_number: int | None  # in the primary key, from 1

    def as_column(self) -> Column:
        """Return the column as import and verification see it."""
        kind = "json" if self.is_json else self.column_type
        return Column(self.name, kind, self.key_number is not None)

    def decoder(self, fallback: str | None) -> Decode:
        """Return a function from the server's bytes to a value.

        `fallback` is an encoding for texts that are not in the column's own, or None. The function raises
        UnicodeDecodeError.

        - Integers and BIT are int, DECIMAL is Decimal.
        - TIMESTAMP is aware, because the session is in UTC. DATETIME is naive.
        - An impossible date such as 0000-00-00, DATE and TIME are texts.
        - BINARY(16) is the text of a UUID, other binary types are bytes.
        """
        if self.data_type in INTEGERS:
            return int
        if self.data_type in ("datetime", "timestamp"):
            return _as_utc if self.data_type == "timestamp" else _as_naive
        if self.data_type in ("float", "double"):
            return float
        if self.data_type == "bit":
            return _bits
        if self.data_type == "decimal":
            return _decimal
        if self.column_type == UUID_KIND:
            return _uuid
        if self.data_type in BINARIES:
            return bytes
        charset = "utf8mb4" if self.data_type == "json" else self.charset
        return _text(charset, fallback) if charset else _text_or_bytes

    def key_expression(self) -> str:
        """Return an expression of SQL whose value is the position, as ASCII."""
        name = quote(self.name)
        if self.data_type in NUMBERED:
            return f"{name}+0"
        return f"HEX({name})" if self._is_hex else name

    def sort_expression(self) -> str:
        """Return an expression of SQL that sorts and compares rows in the same order."""
        return f"{quote(self.name)}+0" if self.data_type in NUMBERED else quote(self.name)

    def literal(self, part: str) -> str:
        """Return a part of a position as a literal of SQL. Raise SourceError for an invalid one."""
        if self._is_hex and re.fullmatch("(?:[0-9A-F]{2})*", part):
            # The bytes of the column itself: no conversion, and the column's own collation.
            return f"_{self.charset or 'binary'} X'{part}'"
        if not self._is_hex and re.fullmatch(r"[-+.:0-9a-fA-Fe ]*", part):
            is_number = self.data_type in INTEGERS | NUMBERED | {"decimal"}
            return (part if part else "''") if is_number else f"'{part}'"
        raise SourceError(f"The position of the checkpoint is not a key of the column {self.name}.")

    @property
    def _is_hex(self) -> bool:
        return self.data_type not in NUMBERED and (self.charset is not None or self.data_type in BINARIES)


def quote(name: str) -> str:
    """Return a name of SQL in backticks."""
    return f"`{name.replace('`', '``')}`"


def condition(keys: list[TableColumn], position: list[str]) -> str:
    """Return the condition of SQL for the rows after a position.

    `a > x OR (a = x AND b > y)` reads two ranges of the primary key. Servers read the whole table for
    `(a, b) > (x, y)`.
    """
    if len(keys) != len(position):
        raise SourceError("The position of the checkpoint has another primary key than the table.")
    alternatives = []
    equal: list[str] = []
    for key, part in zip(keys, position, strict=True):
        expression, literal = key.sort_expression(), key.literal(part)
        alternatives.append(" AND ".join([*equal, f"{expression} > {literal}"]))
        equal.append(f"{expression} = {literal}")
    return " OR ".join(f"({each})" for each in reversed(alternatives))


def _text(charset: str, fallback: str | None) -> Decode:
    encoding = ENCODINGS.get(charset, charset)
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise SourceError(
            f"Texts in the character set {charset} cannot be read. Convert the column."
        ) from None

    def decode(data: bytes) -> str:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            if fallback is None:
                raise
            return data.decode(fallback)

    return decode


def _text_or_bytes(data: bytes) -> object:
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        return data


def _uuid(data: bytes) -> str:
    return str(UUID(bytes=data))


def _bits(data: bytes) -> int:
    return int.from_bytes(data)


def _decimal(data: bytes) -> Decimal:
    return Decimal(data.decode("ascii"))


def _as_naive(data: bytes) -> object:
    return _time(data, None)


def _as_utc(data: bytes) -> object:
    return _time(data, UTC)


def _time(data: bytes, zone: tzinfo | None) -> object:
    text = data.decode("ascii")
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone) if _TIME.fullmatch(text) else text
    except ValueError:
        return text
