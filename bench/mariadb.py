"""A MariaDB or MySQL server with the same logs, to compare the pages with.

It is the server of LOGS_TEST_MYSQL_URL, whose user may create databases, or one that runs for the benchmark
alone if MariaDB is installed.
"""

import importlib.util
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from bench import corpus
from ingest.imports.sources import mysql_address
from logs import times
from tests import mariadb

# The table fits into memory, as with a server of its own.
BUFFER = "4G"
ROWS_PER_INSERT = 500
DATABASE, TABLE = "logsite_bench", "logs"
# The same keys as the indexes of Logsite, each with the time. Texts and addresses have none.
SCHEMA = f"""
CREATE TABLE {TABLE} (
    id CHAR(32) CHARACTER SET ascii PRIMARY KEY,
    account_id VARCHAR(64) NOT NULL, user_id VARCHAR(64) NOT NULL,
    type VARCHAR(64) NOT NULL, sub_type VARCHAR(64) NOT NULL, url VARCHAR(1024) NOT NULL,
    payload MEDIUMTEXT, user_name VARCHAR(200), submitter_ip VARCHAR(45), request_id VARCHAR(200),
    submitter_country VARCHAR(64), submitter_city VARCHAR(64), submitter_platform VARCHAR(64),
    submitter_browser VARCHAR(64), created_at DATETIME(6) NOT NULL,
    KEY (created_at), KEY (account_id, created_at), KEY (type, created_at),
    KEY (account_id, type, created_at), KEY (user_id, created_at)
) ENGINE=InnoDB CHARACTER SET utf8mb4
"""


class Server:
    """A connection to the server, with a database of its own. Its table is empty at first.

    `address` is that of the database, `options` are those of a connection of PyMySQL.
    """

    def __init__(self, address: str) -> None:
        self.address = urlsplit(address)._replace(path=f"/{DATABASE}").geturl()
        self.options = mysql_address.options(self.address)
        self._connection = mariadb.connect(address)
        self._execute(
            f"DROP DATABASE IF EXISTS {DATABASE}",
            f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4",
            f"USE {DATABASE}",
            SCHEMA,
        )

    def insert(self, logs: Iterable[dict[str, Any]]) -> None:
        """Store logs."""
        logs = iter(logs)
        while group := list(islice(logs, ROWS_PER_INSERT)):
            columns, values = ", ".join(group[0]), ", ".join(["%s"] * len(group[0]))
            statement = f"INSERT INTO {TABLE} ({columns}) VALUES ({values})"  # noqa: S608  names of columns
            with self._connection.cursor() as cursor:
                cursor.executemany(statement, list(map(_row, group)))
        self._execute(f"ANALYZE TABLE {TABLE}")

    def version(self) -> str:
        """Return the name and version of the server."""
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT VERSION()")
            return str(cursor.fetchone()[0])

    def close(self) -> None:
        """Drop the database."""
        self._execute(f"DROP DATABASE {DATABASE}")
        self._connection.close()

    def _execute(self, *statements: str) -> None:
        with self._connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


@contextmanager
def run_server() -> Iterator[Server | None]:
    """Yield a server, or None. Then print why there is none."""
    if importlib.util.find_spec("pymysql") is None:
        print("MariaDB is not compared: PyMySQL is not installed")
        yield None
    elif not mariadb.is_available():
        print(f"MariaDB is not compared: it is not installed, and {mariadb.URL} is not set")
        yield None
    else:
        with mariadb.run_server(f"--innodb-buffer-pool-size={BUFFER}") as address:
            server = Server(address)
            yield server
            server.close()


def _row(log: dict[str, Any]) -> list[Any]:
    created_at = times.parse(log["created_at"]).replace(tzinfo=None)
    return list({**log, "payload": corpus.payload_text(log), "created_at": created_at}.values())
