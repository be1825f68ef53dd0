"""A MariaDB server for the tests."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests import mariadb


@dataclass
class Database:
    """A database whose tables a test creates."""

    address: str
    connection: Any

    def execute(self, *statements: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        """Execute statements. Return the rows of the last one."""
        with self.connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement, parameters)
            return list(cursor.fetchall()) if statements else []

    def create(self, table: str, definition: str, *inserts: str) -> None:
        """Create a table anew. `inserts` are the values of its rows."""
        self.execute(f"DROP TABLE IF EXISTS {table}", f"CREATE TABLE {table} ({definition})")
        if inserts:
            self.execute(f"INSERT INTO {table} VALUES {', '.join(inserts)}")  # noqa: S608  of a test


@pytest.fixture(scope="session")
def mysql() -> Iterator[Database]:
    """Start a server, once for all files tests/test_mysql_*.py. Skip the tests without one, except on CI."""
    if not mariadb.is_available():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(mariadb.NOT_TESTED)
    with mariadb.run_server("--innodb-buffer-pool-size=32M") as address:
        connection = mariadb.connect(address, init_command="SET SESSION sql_mode = ''")
        yield Database(address, connection)
        connection.close()
