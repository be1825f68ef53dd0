"""The MySQL server of the tests and the benchmarks: LOGS_TEST_MYSQL_URL, or MariaDB if it is installed.

`python -m tests.mariadb` exits with status 1 if there is neither.
"""

import getpass
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from ingest.imports.sources import mysql_address
from tests.waiting import wait_until

URL = "LOGS_TEST_MYSQL_URL"
NOT_TESTED = f"MySQL was not tested: install mariadb-server, or set {URL}=mysql://USER:PASSWORD@HOST/DATABASE"
# The server's programs are not on the PATH of every user.
PROGRAMS = f"{os.environ.get('PATH', '')}:/usr/sbin"
DATABASE = "logsite"
MEMORY = Path("/dev/shm")  # noqa: S108  the folder inside it is unique


def programs() -> tuple[str, str] | None:
    """Return the server of MariaDB and the program that creates its tables, or None."""
    daemon = shutil.which("mariadbd", path=PROGRAMS) or shutil.which("mysqld", path=PROGRAMS)
    install = shutil.which("mariadb-install-db", path=PROGRAMS)
    return (daemon, install) if daemon and install else None


def is_available() -> bool:
    """Return whether there is a server."""
    return bool(os.environ.get(URL) or programs())


@contextmanager
def run_server(*options: str) -> Iterator[str]:
    """Yield the address of an empty database, or that of LOGS_TEST_MYSQL_URL.

    The server of its own has no network. It starts in about a second, as the current user. Its address has an
    empty password, so MYSQL_PWD has no effect.
    """
    if external := os.environ.get(URL):
        yield external
        return
    daemon, install = programs() or ("", "")
    memory = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="logsite-mysql-", dir=memory) as name:
        folder = Path(name)
        # As root, the server needs the option.
        common = ["--no-defaults", f"--datadir={folder / 'data'}", f"--user={getpass.getuser()}"]
        small = ["--innodb-log-file-size=16M", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin"]
        root = ["--skip-test-db", "--auth-root-authentication-method=normal"]
        subprocess.run([install, *common, *small, *root], check=True, capture_output=True)
        socket = folder / "socket"
        process = subprocess.Popen(
            [
                *(daemon, *common, *small, f"--socket={socket}", f"--pid-file={folder / 'pid'}"),
                *("--skip-networking", *options),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

        def is_ready() -> bool:
            assert process.poll() is None, f"{daemon} exited"
            return socket.exists()

        try:
            wait_until(is_ready, "MariaDB accepts connections", every=0.02)
            with closing(connect(f"mysql://root:@localhost/mysql?unix_socket={socket}")) as connection:
                connection.query(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")
            yield f"mysql://root:@localhost/{DATABASE}?{urlencode({'unix_socket': str(socket)})}"
        finally:
            process.kill()  # its data are temporary
            process.wait()


def connect(address: str, **options: Any) -> Any:
    """Return a connection of PyMySQL that commits each statement."""
    pymysql = importlib.import_module("pymysql")
    return pymysql.connect(**mysql_address.options(address) | options, charset="utf8mb4", autocommit=True)


@dataclass
class Database:
    """A database whose tables a test creates."""

    address: str
    connection: Any

    @property
    def folder(self) -> Path | None:
        """Return the folder of the files of the database, or None for LOGS_TEST_MYSQL_URL."""
        socket = mysql_address.options(self.address).get("unix_socket")
        return Path(socket).with_name("data") / DATABASE if socket and not os.environ.get(URL) else None

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


if __name__ == "__main__":
    sys.exit(not is_available())
