"""A MariaDB or MySQL server with the same logs, to compare the pages with.

It is the server of LOGS_TEST_MYSQL_URL, or one that runs for the benchmark alone if MariaDB is installed.
"""

import getpass
import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from bench import corpus
from logs import times

URL = "LOGS_TEST_MYSQL_URL"
# The server's programs are not on the PATH of every user.
PROGRAMS = f"{os.environ.get('PATH', '')}:/usr/sbin"
# The table fits into memory, as with a server of its own.
BUFFER = "4G"
START_SECONDS = 60.0
ROWS_PER_INSERT = 500
TABLE = "bench_logs"
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

    def version(self) -> str:
        """Return the name and version of the server."""
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT VERSION()")
            return str(cursor.fetchone()[0])

    def close(self) -> None:
        """Drop the table."""
        with self._connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE {TABLE}")
        self._connection.close()


@contextmanager
def run_server() -> Iterator[Server | None]:
    """Yield a server, or None. Then print why there is none."""
    daemon = shutil.which("mariadbd", path=PROGRAMS) or shutil.which("mysqld", path=PROGRAMS)
    install = shutil.which("mariadb-install-db", path=PROGRAMS)
    if importlib.util.find_spec("pymysql") is None:
        print("MariaDB is not compared: PyMySQL is not installed")
        yield None
    elif os.environ.get(URL):
        server = Server(**_options(os.environ[URL]))
        yield server
        server.close()
    elif daemon and install:
        with _own_server(daemon, install) as server:
            yield server
    else:
        print(f"MariaDB is not compared: it is not installed, and {URL} is not set")
        yield None


def _row(log: dict[str, Any]) -> list[Any]:
    created_at = times.parse(log["created_at"]).replace(tzinfo=None)
    return list({**log, "payload": corpus.payload_text(log), "created_at": created_at}.values())


def _options(url: str) -> dict[str, Any]:
    """Return the options of a connection from an address such as mysql://user:password@host:3306/name."""
    parts = urlsplit(url)
    return {
        "host": parts.hostname,
        "port": parts.port or 3306,
        "user": unquote(parts.username or "root"),
        "password": unquote(parts.password or ""),
        "database": parts.path.strip("/"),
    }


@contextmanager
def _own_server(daemon: str, install: str) -> Iterator[Server]:
    """Run a server with a folder of its own, without network, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="logsite-bench-") as name:
        folder = Path(name)
        # MariaDB does not run as root.
        user = "mysql" if getpass.getuser() == "root" else getpass.getuser()
        if user != getpass.getuser():
            shutil.chown(folder, user)
        data, socket = f"--datadir={folder / 'data'}", folder / "socket"
        options = ["--no-defaults", data, f"--user={user}"]
        subprocess.run([install, *options, "--skip-test-db"], check=True, capture_output=True)
        process = subprocess.Popen(
            [
                *(daemon, *options, f"--socket={socket}", f"--pid-file={folder / 'pid'}"),
                *("--skip-networking", "--skip-grant-tables", f"--innodb-buffer-pool-size={BUFFER}"),
                *("--innodb-flush-log-at-trx-commit=0", "--skip-log-bin"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            give_up = time.monotonic() + START_SECONDS
            while not socket.exists():
                if process.poll() is not None or time.monotonic() > give_up:
                    raise RuntimeError(f"{daemon} did not start")
                time.sleep(0.1)
            yield Server(unix_socket=str(socket), user="root", database="mysql")
        finally:
            process.terminate()
            process.wait()
