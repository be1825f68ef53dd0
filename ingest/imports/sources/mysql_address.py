"""The address of a MySQL or MariaDB database: `mysql://user:password@host:3306/database`."""

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ingest.imports.rows import SourceError

SCHEMES = ("mysql", "mariadb")
PORT = 3306
# The variable of MySQL's own programs.
PASSWORD = "MYSQL_PWD"  # noqa: S105  the name of the variable
# parameter of the address → option of PyMySQL
PARAMETERS = {"unix_socket": "unix_socket", "ssl_ca": "ssl_ca"}
# It quotes nothing: a password with a reserved character may be in any part of an address.
RULE = (
    "SOURCE must be a file, or mysql://USER:PASSWORD@HOST:PORT/DATABASE. Percent-encode the characters "
    f"/ ? # @ : % of a password, or leave it out and set {PASSWORD}. The parameters after ? are "
    f"{' and '.join(PARAMETERS)}."
)


def is_address(text: str) -> bool:
    """Return whether a text is the address of a database, valid or not."""
    return text.partition("://")[0].lower() in SCHEMES and "://" in text


def options(address: str, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return the options of a connection. Raise SourceError for an invalid address.

    The password is that of the address, or the variable MYSQL_PWD. No error contains it.
    """
    try:
        parts = urlsplit(address)
        port = parts.port or PORT
        parameters = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise SourceError(RULE) from None
    database = unquote(parts.path.removeprefix("/"))
    is_valid = parts.hostname and database and not {"/", "@"} & set(database)
    if not is_valid or parts.fragment or not parameters.keys() <= PARAMETERS.keys():
        raise SourceError(RULE)
    password = environment.get(PASSWORD, "") if parts.password is None else unquote(parts.password)
    return {
        "host": parts.hostname,
        "port": port,
        "user": unquote(parts.username) if parts.username else None,
        "password": password,
        "database": database,
        **{PARAMETERS[name]: value for name, value in parameters.items()},
    }


def without_user(options: Mapping[str, Any]) -> str:
    """Return the address of the database of a connection, without user and password."""
    server = options.get("unix_socket") or f"{options['host']}:{options['port']}"
    return f"mysql://{server}/{options['database']}"
