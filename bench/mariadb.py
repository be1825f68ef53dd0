"""A MariaDB or MySQL server with the same logs, to compare searches with.

It is the server of LOGS_TEST_MYSQL_URL, or one that runs for the benchmark alone if MariaDB is installed.
"""

import importlib.util
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from bench import corpus
from ingest.imports.sources import mysql_address
from logs import times
from tests import mariadb

# The table fits into memory, as with a server of its own.
BUFFER = "4G"
ROWS_PER_INSERT = 500
TABLE = "bench_logs"
# As Django's admin has it: indexes on the keys and the time, none on texts and addresses.
SCHEMA = f"""
CREATE TABLE {TABLE} (
    id CHAR(32) CHARACTER SET ascii PRIMARY KEY,
    account_id VARCHAR(64) NOT NULL, user_id VARCHAR(64) NOT NULL,
    type VARCHAR(64) NOT NULL, sub_type VARCHAR(64) NOT NULL, url VARCHAR(1024) NOT NULL,
    payload MEDIUMTEXT, user_name VARCHAR(200), submitter_ip VARCHAR(45), request_id VARCHAR(200),
    submitter_country VARCHAR(64), submitter_city VARCHAR(64), submitter_platform VARCHAR(64),
    submitter_browser VARCHAR(64), created_at DATETIME(6) NOT NULL,
    KEY (created_at), KEY (account_id, created_at), KEY (type, created_at), KEY (user_id, created_at)
) ENGINE=InnoDB CHARACTER SET utf8mb4
"""


class Server:
    """A connection to the server. Its table is empty at first."""

    def __init__(self, **options: Any) -> None:
        pymysql = importlib.import_module("pymysql")
        self.options = options
        self._connection = pymysql.connect(charset="utf8mb4", autocommit=True, **options)
        with self._connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
            cursor.execute(SCHEMA)

    def insert(self, logs: Iterable[dict[str, Any]]) -> None:
        """Store logs."""
        logs = iter(logs)
        while group := list(islice(logs, ROWS_PER_INSERT)):
            columns, values = ", ".join(group[0]), ", ".join(["%s"] * len(group[0]))
            statement = f"INSERT INTO {TABLE} ({columns}) VALUES ({values})"  # noqa: S608  names of columns
            with self._connection.cursor() as cursor:
                cursor.executemany(statement, list(map(_row, group)))

    def search(self, column: str, value: str, limit: int, *, is_part: bool) -> tuple[int, float]:
        """Return the number of the newest matching logs, and the seconds.

        They have the value in the column, or as a part of it. The first of two runs fills the server's
        memory and is not counted.
        """
        operator, pattern = ("LIKE", f"%{value}%") if is_part else ("=", value)
        statement = (
            f"SELECT * FROM {TABLE} WHERE {column} {operator} %s ORDER BY created_at DESC LIMIT {limit}"  # noqa: S608  names of table and column
        )
        for _ in range(2):
            start = time.perf_counter()
            with self._connection.cursor() as cursor:
                cursor.execute(statement, [pattern])
                rows = cursor.fetchall()
            seconds = time.perf_counter() - start
        return len(rows), seconds

    def close(self) -> None:
        """Drop the table."""
        with self._connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE {TABLE}")
        self._connection.close()


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
            server = Server(**mysql_address.options(address))
            yield server
            server.close()


def _row(log: dict[str, Any]) -> list[Any]:
    created_at = times.parse(log["created_at"]).replace(tzinfo=None)
    return list({**log, "payload": corpus.payload_text(log), "created_at": created_at}.values())
