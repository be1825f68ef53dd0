"""Reading tables of MySQL and MariaDB: key order, lost connections, and values of every type."""

import json
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import Any
from urllib.parse import quote

import pytest

from ingest.imports.rows import BadRow, Row, SourceError
from ingest.imports.sources import mysql as mysql_source
from ingest.imports.sources import mysql_address
from ingest.imports.sources.mysql import MysqlSource
from tests.mariadb import Database

pytest_plugins = ["tests.mysql_fixtures"]


def read(source: MysqlSource, after: Any = None) -> list[Row]:
    """Return the rows after a position. None is refused."""
    rows = list(source.rows(after))
    assert [str(row) for row in rows if isinstance(row, BadRow)] == []
    return [row for row in rows if isinstance(row, Row)]


KEYS = {
    "integer": ("id BIGINT UNSIGNED PRIMARY KEY", ["18446744073709551615", "1", "9223372036854775808", "0"]),
    "signed": ("id INT PRIMARY KEY", ["-1", "1", "0", "-2147483648"]),
    # The order of the collation: a and Ä before b, and a trailing space.
    "text": ("id VARCHAR(20) PRIMARY KEY", ["'b'", "'Ä1'", "'a'", "'C'", "''", "'it''s \\\\ \"x\"'", "'😀'"]),
    "latin1": (
        "id VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_german2_ci PRIMARY KEY",
        ["'z'", "'ü'", "'ue1'", "'€'", "'a'"],
    ),
    "exact": (
        "id CHAR(5) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY",
        ["'a'", "'A'", "'Ä'", "'ä'"],
    ),
    "binary": ("id BINARY(16) PRIMARY KEY", ["X'00'", "REPEAT(X'FF', 16)", "X'27'", "X'5C27'"]),
    "enum": ("id ENUM('z', 'a', 'm') PRIMARY KEY", ["'a'", "'m'", "'z'"]),
    "bit": ("id BIT(9) PRIMARY KEY", ["b'1'", "b'100000000'", "b'10'"]),
    "decimal": ("id DECIMAL(30, 2) PRIMARY KEY", ["9007199254740993.01", "9007199254740993.02", "-0.5"]),
    "time": ("id DATETIME(6) PRIMARY KEY", ["'0000-00-00'", "'2026-01-01 00:00:00.000001'", "'2026-01-01'"]),
}


@pytest.mark.parametrize("kind", KEYS)
def test_table_continues_after_each_key(mysql: Database, kind: str) -> None:
    definition, values = KEYS[kind]
    mysql.create("keyed", definition, *(f"({value})" for value in values))
    source = MysqlSource(mysql.address, "keyed")
    rows = read(source)
    assert len(rows) == len(values)
    assert len({row.key for row in rows}) == len(values)
    for number, row in enumerate(rows, 1):
        position = json.loads(json.dumps(row.position))
        assert read(source, position) == rows[number:]


def test_compound_key_is_read_in_pages(mysql: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mysql_source, "ROWS_PER_QUERY", 3)
    mysql.create(
        "keyed",
        "name VARCHAR(9), value INT, number INT, kind ENUM('b', 'a'), PRIMARY KEY (name, number, kind)",
        *(f"('{name}', 1, {n}, '{kind}')" for name in ("x,1", "x", "y") for n in (2, 1) for kind in "ab"),
    )
    source = MysqlSource(mysql.address, "keyed")
    rows = read(source)
    order = mysql.execute("SELECT name, number, kind FROM keyed ORDER BY name, number, kind + 0")
    assert [(row.values["name"], row.values["number"], row.values["kind"]) for row in rows] == order
    assert rows[0].key == "x,1,b"
    assert rows[4].key == "x\\,1,1,b"
    assert source.total()
    plan = mysql.execute(
        "EXPLAIN SELECT * FROM keyed WHERE (name = 'x' AND number > 1) OR (name > 'x') "
        "ORDER BY name, number LIMIT 3"
    )
    assert {"range", "PRIMARY"} <= {*plan[0]}


def test_lost_connection_is_opened_again(mysql: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mysql_source, "ROWS_PER_QUERY", 2_000)
    monkeypatch.setattr(mysql_source, "FIRST_DELAY", 0.01)
    rows = (f"({number}, REPEAT('x', 2000))" for number in range(1, 3001))
    mysql.create("busy", "id INT PRIMARY KEY, text VARCHAR(2000)", *rows)
    others = "SELECT id FROM information_schema.PROCESSLIST WHERE id <> CONNECTION_ID() AND db = DATABASE()"
    keys = []
    for row in MysqlSource(mysql.address, "busy").rows():
        keys.append(int(row.key))
        if row.key in ("1", "2", "1999", "2500"):
            ids = mysql.execute(others)
            for (number,) in ids:
                # One that ended before, such as that of an earlier test, is no longer there.
                with suppress(mysql.connection.OperationalError):
                    mysql.execute(f"KILL {number}")
    assert keys == list(range(1, 3001))


def test_unfinished_reading_ends_at_once(mysql: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    mysql.create("few", "id INT PRIMARY KEY", "(1)", "(2)", "(3)")
    rows = MysqlSource(mysql.address, "few").rows()
    assert [row.key for row in islice(rows, 2)] == ["1", "2"]
    rows.close()  # type: ignore[attr-defined]  # a generator
    mysql.execute("DROP TABLE few")


TYPES: dict[str, tuple[str, str, object]] = {
    # name: type, literal, value
    "id": ("INT PRIMARY KEY", "1", 1),
    "nothing": ("TEXT", "NULL", None),
    "emoji": ("VARCHAR(20)", "'Zoë 😀'", "Zoë 😀"),
    "western": ("VARCHAR(20) CHARACTER SET latin1", "'Zoë € Š'", "Zoë € Š"),
    # Python's cp1252 has no character for this byte.
    "control": ("VARCHAR(20) CHARACTER SET latin1", "CONCAT('€', _latin1 X'81')", "€\x81"),
    "wide": ("VARCHAR(20) CHARACTER SET utf16", "'Zoë 😀'", "Zoë 😀"),
    "old": ("VARCHAR(20) CHARACTER SET utf8mb3", "'Zoë'", "Zoë"),
    "mojibake": ("VARCHAR(20)", "'ZoÃ«'", "ZoÃ«"),
    "padded": ("CHAR(5)", "'ab'", "ab"),
    "flag": ("BIT(1)", "b'1'", 1),
    "bits": ("BIT(64)", "b'1111111111111111111111111111111111111111111111111111111111111111'", 2**64 - 1),
    "choice": ("ENUM('on', 'off')", "'off'", "off"),
    "wrong_choice": ("ENUM('on', 'off')", "'maybe'", ""),
    "choices": ("SET('a', 'b', 'c')", "'c,a'", "a,c"),
    "django": ("LONGTEXT CHECK (JSON_VALID(`django`))", "'[1]'", "[1]"),
    "document": ("JSON", """'{"a": [1, null, "ü"]}'""", '{"a": [1, null, "ü"]}'),
    "big": ("BIGINT UNSIGNED", "18446744073709551615", 2**64 - 1),
    "tiny": ("TINYINT(1)", "1", 1),
    "price": ("DECIMAL(20, 4)", "12345678901234.5000", Decimal("12345678901234.5000")),
    "ratio": ("DOUBLE", "0.1", 0.1),
    "part": ("FLOAT", "0.5", 0.5),
    "year": ("YEAR", "2026", 2026),
    "day": ("DATE", "'2026-11-26'", "2026-11-26"),
    "zero_day": ("DATE", "'0000-00-00'", "0000-00-00"),
    "duration": ("TIME(3)", "'-838:59:59'", "-838:59:59.000"),
    "naive": ("DATETIME(6)", "'2026-03-29 02:30:00.000001'", datetime(2026, 3, 29, 2, 30, 0, 1)),  # noqa: DTZ001
    "zero": ("DATETIME", "'0000-00-00 00:00:00'", "0000-00-00 00:00:00"),
    "no_month": ("DATETIME", "'2026-00-10 00:00:00'", "2026-00-10 00:00:00"),
    # The session of the test is in UTC+2.
    "moment": (
        "TIMESTAMP(6) NULL",
        "'2026-11-26 12:00:00.5'",
        datetime(2026, 11, 26, 10, 0, 0, 500_000, UTC),
    ),
    "zero_moment": ("TIMESTAMP DEFAULT 0", "0", "0000-00-00 00:00:00"),
    "uuid": ("BINARY(16)", "X'00112233445566778899AABBCCDDEEFF'", "00112233-4455-6677-8899-aabbccddeeff"),
    "native_uuid": ("UUID", "'00112233-4455-6677-8899-aabbccddeeff'", "00112233-4455-6677-8899-aabbccddeeff"),
    "address": ("INET6", "'2001:db8::1'", "2001:db8::1"),
    "raw": ("BLOB", "X'00FF'", b"\x00\xff"),
    "order": ("VARBINARY(9)", "'text'", b"text"),
}


def test_values_of_each_type_arrive_exactly(mysql: Database) -> None:
    is_mariadb = "MariaDB" in mysql.execute("SELECT VERSION()")[0][0]
    types = {name: each for name, each in TYPES.items() if is_mariadb or each[0] not in ("UUID", "INET6")}
    definition = ", ".join(f"`{name}` {kind}" for name, (kind, _, _) in types.items())
    mysql.execute("SET SESSION time_zone = '+02:00', sql_mode = 'ALLOW_INVALID_DATES'")
    mysql.create("typed", definition, f"({', '.join(literal for _, literal, _ in types.values())})")
    address = mysql.address
    if mysql.folder:
        # MariaDB shows less of its information_schema to an account that may only read.
        mysql.execute("CREATE OR REPLACE USER reader@localhost", "GRANT SELECT ON typed TO reader@localhost")
        address = address.replace("//root:@", "//reader:@")
    source = MysqlSource(address, "typed")
    [row] = read(source)
    assert row.values == {name: value for name, (_, _, value) in types.items()}
    kinds = {column.name: column.kind for column in source.columns()}
    assert (kinds["document"], kinds["django"], kinds["uuid"]) == ("json", "json", "binary(16)")
    assert kinds["big"].endswith(" unsigned")
    assert [column.name for column in source.columns() if column.is_primary_key] == ["id"]


def test_text_in_another_encoding_is_refused(mysql: Database) -> None:
    # The bytes of latin-1 in a column of UTF-8. Servers refuse such an INSERT, but not a file of MyISAM.
    mysql.execute("SET SESSION default_storage_engine = MyISAM")
    for table, kind in [("western", "VARCHAR(40) CHARACTER SET latin1"), ("mixed", "VARCHAR(10)")]:
        mysql.create(table, f"id INT PRIMARY KEY, name {kind}", "(1, 'Zürich')", "(2, 'Bern')")
    if mysql.folder is None:
        return
    mysql.execute("FLUSH TABLES")
    for suffix in ("MYD", "MYI"):
        shutil.copy(mysql.folder / f"western.{suffix}", mysql.folder / f"mixed.{suffix}")
    bad, good = MysqlSource(mysql.address, "mixed").rows()
    assert isinstance(bad, BadRow)
    assert (bad.key, bad.column, bad.position) == ("1", "name", ["1"])
    assert bad.reason.startswith("has a byte that is no utf8mb4, at position 2: choose the encoding")
    assert isinstance(good, Row)
    for table, encoding in [("mixed", "cp1252"), ("western", None)]:
        rows = read(MysqlSource(mysql.address, table, encoding))
        assert [row.values["name"] for row in rows] == ["Zürich", "Bern"]


def test_source_without_a_readable_table_is_refused(mysql: Database) -> None:
    mysql.create("keyless", "number INT")
    mysql.create("inexact", "number FLOAT PRIMARY KEY")
    for table, text in [
        ("keyless", "no primary key.*ADD COLUMN import_id"),
        ("inexact", "FLOAT, which cannot be compared exactly"),
        ("missing", "There is no table missing.*keyless"),
        (None, "--table is missing.*keyless"),
    ]:
        with pytest.raises(SourceError, match=text):
            MysqlSource(mysql.address, table)
    with pytest.raises(SourceError, match="position of the checkpoint"):
        list(MysqlSource(mysql.address, "typed").rows(["1; DROP TABLE typed"]))


def test_password_outside_ascii_is_accepted(mysql: Database) -> None:
    mysql.execute(
        "DROP USER IF EXISTS cyrillic",
        "CREATE USER cyrillic IDENTIFIED BY 'парола Grün'",
        "GRANT SELECT ON *.* TO cyrillic",
    )
    mysql.create("guarded", "number INT PRIMARY KEY", "(1)")
    query = mysql.address.partition("?")[2]
    address = f"mysql://cyrillic:{quote('парола Grün')}@localhost/logsite?{query}"
    assert [row.values for row in read(MysqlSource(address, "guarded"))] == [{"number": 1}]
    with pytest.raises(SourceError, match="Access denied"):
        MysqlSource(address.replace("Gr", "gr"), "guarded")


def test_password_is_in_no_message(mysql: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mysql_source, "CONNECT_SECONDS", 1)
    query = mysql.address.partition("?")[2]
    addresses = [
        f"mysql://nobody:Hidden1@localhost/logsite?{query}",
        "mysql://nobody:Hidden1@127.0.0.1:1/logsite",
        "mysql://nobody:Hid#den1@localhost/logsite",
        "mysql://nobody:Hid/den1@localhost/logsite",
        "mysql://nobody:Hid?den1@localhost/logsite",
        "mysql://nobody:1/Hidden1@localhost/logsite",
        "mysql://nobody:Hidden1@localhost/logsite?charset=latin1",
        "mysql://nobody:Hidden1@localhost",
    ]
    for address in addresses:
        with pytest.raises(SourceError) as info:
            MysqlSource(address, "typed")
        assert "iden1" not in str(info.value)
        assert "den1" not in str(info.value)
    source = MysqlSource(mysql.address, "typed")
    assert source.identity.endswith("/typed")
    options = mysql_address.options("mysql://me@db.example:3307/app", {"MYSQL_PWD": "p@/ss"})
    assert (options["password"], options["host"], options["port"]) == ("p@/ss", "db.example", 3307)
    assert mysql_address.options("mariadb://me:p%40%2Fss@db/app", {})["password"] == "p@/ss"
