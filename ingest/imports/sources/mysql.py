"""A table of MySQL or MariaDB as a source."""

import importlib
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from typing import Any

from ingest.imports.rows import BadRow, Column, Position, Row, SourceError
from ingest.imports.sources import mysql_address
from ingest.imports.sources.mysql_columns import Decode, TableColumn, condition, quote
from ingest.wire.backoff import backoff

# A query that a server-side cursor reads. Short queries keep no old versions of rows on a busy server, and a
# lost connection repeats only the query's rest.
ROWS_PER_QUERY = 10_000
CONNECT_SECONDS, READ_SECONDS = 10, 600
# Attempts without a row between them, and the seconds between two.
MAX_ATTEMPTS = 6
FIRST_DELAY, MAX_DELAY = 0.25, 10.0
# CR_SERVER_GONE_ERROR, CR_SERVER_LOST, ER_SERVER_SHUTDOWN, ER_CONNECTION_KILLED of MariaDB,
# ER_CLIENT_INTERACTION_TIMEOUT; CR_CONN_HOST_ERROR and ER_CON_COUNT_ERROR of a new connection. PyMySQL has 0.
LOST = {0, 2006, 2013, 1053, 1927, 4031, 2003, 1040}
# TIMESTAMP in UTC, texts as the bytes of their columns, no sql_mode that changes values, and no change of the
# source by mistake.
SESSION = (
    "SET SESSION time_zone = '+00:00', sql_mode = '', character_set_results = NULL, net_write_timeout = 600"
)
READ_ONLY = "SET SESSION TRANSACTION READ ONLY"

COLUMNS = """
SELECT c.COLUMN_NAME, c.DATA_TYPE, c.COLUMN_TYPE, c.CHARACTER_SET_NAME, k.ORDINAL_POSITION
FROM information_schema.COLUMNS c
LEFT JOIN information_schema.KEY_COLUMN_USAGE k ON k.CONSTRAINT_NAME = 'PRIMARY'
    AND k.TABLE_SCHEMA = c.TABLE_SCHEMA AND k.TABLE_NAME = c.TABLE_NAME AND k.COLUMN_NAME = c.COLUMN_NAME
WHERE c.TABLE_SCHEMA = DATABASE() AND c.TABLE_NAME = %s
ORDER BY c.ORDINAL_POSITION
"""
TABLES = (
    "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() ORDER BY 1 LIMIT 20"
)
ESTIMATE = (
    "SELECT TABLE_ROWS FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s"
)
# MariaDB's JSON is LONGTEXT with this condition. Its information_schema.CHECK_CONSTRAINTS hides it from an
# account that may only read.
JSON_CONDITION = re.compile(r"CHECK \(json_valid\(`((?:[^`]|``)+)`\)\)", re.IGNORECASE)


class _ConnectionLost(SourceError):
    """A connection that ended, or that a retry may open."""


class MysqlSource:
    """The rows of a table in the order of its primary key.

    `encoding` is for texts that are not in the encoding of their column. Raise SourceError if the table
    cannot be read or has no primary key.
    """

    def __init__(self, address: str, table: str | None, encoding: str | None = None) -> None:
        self._pymysql = _load_pymysql()
        self._options = mysql_address.options(address)
        self.identity = f"{mysql_address.without_user(self._options)}/{table}"
        with closing(self._connect()) as connection:
            if not table:
                names = ", ".join(_first_texts(_fetch(connection, TABLES)))
                raise SourceError(f"--table is missing. The database has the tables: {names or 'none'}.")
            self.table = table
            self._columns = _read_columns(connection, table)
        keys = [each for each in self._columns if each.key_number is not None]
        self._keys = sorted(keys, key=lambda each: each.key_number or 0)
        self._check()
        self._decoders: list[Decode] = [each.decoder(encoding) for each in self._columns]

    def columns(self) -> list[Column]:
        """Return the columns in the table's order."""
        return [each.as_column() for each in self._columns]

    def total(self) -> int | None:
        """Return the server's estimate of the number of rows."""
        with closing(self._connect()) as connection:
            [(rows,)] = _fetch(connection, ESTIMATE, self.table)
        return int(rows) if rows else None

    def head(self) -> str:
        """Return an empty text: positions are primary keys."""
        return ""

    def has_head(self, head: str) -> bool:
        """Return true: rows are found by their primary keys."""
        return True

    def lookup(self, table: str, columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the rows of a small table as texts.

        The key is the first column, the value the others. It is empty if there is no such table.
        """
        names = ", ".join(map(quote, columns))
        with closing(self._connect()) as connection:
            existing = {each.name for each in _read_columns(connection, table, is_optional=True)}
            if not existing.issuperset(columns):
                return {}
            rows = _fetch(connection, f"SELECT {names} FROM {quote(table)}")  # noqa: S608  quoted names
        return {key: tuple(values) for key, *values in map(_texts_of, rows)}

    def rows(self, after: Position | None = None) -> Iterator[Row | BadRow]:
        """Yield the rows after a position, in the order of the primary key.

        A server-side cursor reads each query of ROWS_PER_QUERY rows. After a lost connection, the next query
        continues after the last row. Raise SourceError if MAX_ATTEMPTS connections fail.
        """
        position = None if after is None else _as_texts(after)
        attempts, delays = 0, backoff(FIRST_DELAY, MAX_DELAY)
        connection: Any = None
        try:
            while True:
                count = 0
                try:
                    connection = connection or self._connect()
                    for row in self._query(connection, position):
                        yield row
                        position = _as_texts(row.position)
                        attempts, delays = 0, backoff(FIRST_DELAY, MAX_DELAY)
                        count += 1
                except (self._pymysql.MySQLError, _ConnectionLost) as error:
                    attempts += 1
                    if not _is_lost(error) or attempts >= MAX_ATTEMPTS:
                        raise SourceError(
                            f"The table {self.table} cannot be read: {_text_of(error)}"
                        ) from None
                    _discard(connection)
                    connection = None
                    time.sleep(next(delays))
                else:
                    if count < ROWS_PER_QUERY:
                        return
        finally:
            _discard(connection)

    def _query(self, connection: Any, position: list[str] | None) -> Iterator[Row | BadRow]:
        expressions = [quote(each.name) for each in self._columns]
        expressions += [key.key_expression() for key in self._keys]
        where = f" WHERE {condition(self._keys, position)}" if position else ""
        order = ", ".join(key.sort_expression() for key in self._keys)
        statement = (
            f"SELECT {', '.join(expressions)} FROM {quote(self.table)}{where} "  # noqa: S608  quoted names
            f"ORDER BY {order} LIMIT {ROWS_PER_QUERY}"
        )
        cursor = connection.cursor(self._pymysql.cursors.SSCursor)
        cursor.execute(statement)
        try:
            yield from map(self._row, iter(cursor.fetchone, None))
        finally:
            # Otherwise the end of the cursor would read the rest of its rows, or fail without a connection.
            cursor._result.unbuffered_active = False

    def _row(self, raw: tuple[bytes | None, ...]) -> Row | BadRow:
        position: Position = [(part or b"").decode("ascii") for part in raw[len(self._columns) :]]
        values: dict[str, Any] = {}
        bad: tuple[str, str] | None = None
        for column, decode, data in zip(self._columns, self._decoders, raw, strict=False):
            try:
                values[column.name] = None if data is None else decode(data)
            except UnicodeDecodeError as error:
                values[column.name] = data
                bad = bad or (column.name, _encoding_reason(column, error))
        key = _key_text([values[each.name] for each in self._keys])
        return BadRow(key, *bad, position) if bad else Row(key, position, values)

    def _connect(self) -> Any:
        # PyMySQL would encode a text in latin1. Clients send passwords in the encoding of their connection.
        password = self._options["password"].encode()
        try:
            connection = self._pymysql.connect(
                **{**self._options, "password": password},
                charset="utf8mb4",
                autocommit=True,
                init_command=SESSION,
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                # The server's bytes: TableColumn decodes them.
                use_unicode=False,
                conv=dict(self._pymysql.converters.encoders),
            )
            _fetch(connection, READ_ONLY)
        except (self._pymysql.MySQLError, OSError, RuntimeError) as error:
            kind = _ConnectionLost if _is_lost(error) else SourceError
            raise kind(f"The database cannot be reached: {_text_of(error)}") from None
        return connection

    def _check(self) -> None:
        if not self._keys:
            raise SourceError(
                f"The table {self.table} has no primary key, so an interrupted import could not continue. "
                f"Add one: ALTER TABLE {self.table} ADD COLUMN import_id BIGINT AUTO_INCREMENT PRIMARY KEY; "
                "or export the table as a CSV file, and import that."
            )
        for key in self._keys:
            if key.data_type == "float":
                raise SourceError(
                    f"The column {key.name} of the primary key is a FLOAT, which cannot be compared exactly. "
                    "Export the table as a CSV file, and import that."
                )


def _load_pymysql() -> Any:
    try:
        return importlib.import_module("pymysql")
    except ImportError:
        raise SourceError("A MySQL source needs PyMySQL: pip install PyMySQL") from None


def _read_columns(connection: Any, table: str, *, is_optional: bool = False) -> list[TableColumn]:
    rows = _fetch(connection, COLUMNS, table)
    if not rows and not is_optional:
        names = ", ".join(_first_texts(_fetch(connection, TABLES)))
        raise SourceError(f"There is no table {table}. The database has the tables: {names or 'none'}.")
    json_columns = _json_columns(connection, table) if rows else set()
    return [
        TableColumn(
            name=name,
            data_type=data_type.lower(),
            column_type=column_type.lower(),
            charset=charset or None,
            is_json=data_type.lower() == "json" or name in json_columns,
            key_number=int(number) if number else None,
        )
        for name, data_type, column_type, charset, number in map(_texts_of, rows)
    ]


def _json_columns(connection: Any, table: str) -> set[str]:
    """Return the names of MariaDB's columns of type JSON."""
    [row] = _fetch(connection, f"SHOW CREATE TABLE {quote(table)}")
    return {name.replace("``", "`") for name in JSON_CONDITION.findall(_texts_of(row)[1])}


def _fetch(connection: Any, statement: str, *parameters: str) -> Sequence[tuple[bytes | None, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        rows: Sequence[tuple[bytes | None, ...]] = cursor.fetchall()
    return rows


def _first_texts(rows: Sequence[tuple[bytes | None, ...]]) -> list[str]:
    """Return the first column of rows as texts."""
    return [_texts_of(row)[0] for row in rows]


def _texts_of(row: tuple[bytes | None, ...]) -> list[str]:
    """Return a row of names as texts. NULL is an empty text."""
    return [(part or b"").decode() for part in row]


def _as_texts(position: Position | None) -> list[str]:
    return [str(part) for part in position] if isinstance(position, list) else [str(position)]


def _key_text(parts: list[Any]) -> str:
    """Return a primary key as text. A comma within a part of several is escaped."""
    texts = [part.hex() if isinstance(part, bytes) else str(part) for part in parts]
    if len(texts) == 1:
        return texts[0]
    return ",".join(text.replace("\\", "\\\\").replace(",", "\\,") for text in texts)


def _encoding_reason(column: TableColumn, error: UnicodeDecodeError) -> str:
    return (
        f"has a byte that is no {column.charset}, at position {error.start + 1}: choose the encoding of such "
        "texts with --encoding, for example --encoding cp1252"
    )


def _is_lost(error: Exception) -> bool:
    return isinstance(error, _ConnectionLost) or (bool(error.args) and error.args[0] in LOST)


def _text_of(error: Exception) -> str:
    """Return the server's text of an error. It may name the user and the host, but no password."""
    return str(error.args[1] if len(error.args) > 1 else error)


def _discard(connection: Any) -> None:
    """Close a connection, which may be lost."""
    if connection is not None:
        with suppress(Exception):
            connection.close()
