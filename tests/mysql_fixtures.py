"""A MariaDB server for the tests."""

import os
from collections.abc import Iterator

import pytest

from tests import mariadb
from tests.mariadb import Database


@pytest.fixture(scope="session")
def mysql_server() -> Iterator[Database]:
    """Start a server, once for all files tests/test_mysql_*.py. Skip the tests without one, except on CI."""
    if not mariadb.is_available():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(mariadb.NOT_TESTED)
    with mariadb.run_server("--innodb-buffer-pool-size=32M") as address:
        connection = mariadb.connect(address)
        yield Database(address, connection)
        connection.close()


@pytest.fixture
def mysql(mysql_server: Database) -> Database:
    """Return the database, with a session in UTC that stores any value."""
    mysql_server.execute("SET SESSION time_zone = '+00:00', sql_mode = '', default_storage_engine = InnoDB")
    return mysql_server
