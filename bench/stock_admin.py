"""A process with Django's stock admin over MariaDB.

Django has one set of settings in a process. This one reads addresses as lines and writes for each the seconds
that its page took, and the number of its rows.
"""

import importlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, cast

PATH = "/admin/bench/log/"
ROWS_PER_PAGE = 100
ROW = re.compile(r'<tr><(?:td|th) class="(?:field|action)')
# The columns of Logsite's listing.
LIST_DISPLAY = (
    *("created_at", "account_id", "user_id", "type", "sub_type", "url"),
    *("submitter_city", "submitter_country", "submitter_platform", "submitter_browser"),
)
# Django asks for this version of mysqlclient. PyMySQL has the same interface.
MYSQLCLIENT = (2, 2, 1, "final", 0)


@dataclass(frozen=True)
class Timing:
    """The seconds of a page, and its rows."""

    seconds: float
    rows: int


class StockAdmin:
    """The process of the admin, which answers one address at a time."""

    def __init__(self, stdin: IO[str], stdout: IO[str]) -> None:
        self._stdin = stdin
        self._stdout = stdout

    def time(self, query: str) -> Timing:
        """Return how long the page of a query string takes."""
        self._stdin.write(f"{query}\n")
        self._stdin.flush()
        return Timing(**json.loads(self._stdout.readline()))


@contextmanager
def run_stock_admin(options: dict[str, Any]) -> Iterator[StockAdmin]:
    """Run the admin until the block ends. The options are those of a connection of PyMySQL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.stock_admin", json.dumps(options)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield StockAdmin(cast("IO[str]", process.stdin), cast("IO[str]", process.stdout))
    finally:
        process.terminate()
        process.wait()


def _configure(options: dict[str, Any]) -> None:
    # Only the process of the stock admin has these settings.
    import django
    from django.conf import settings  # as above

    pymysql: Any = importlib.import_module("pymysql")  # its group of requirements is optional
    pymysql.version_info = MYSQLCLIENT
    pymysql.install_as_MySQLdb()
    settings.configure(
        SECRET_KEY="of a benchmark",
        ALLOWED_HOSTS=["testserver"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.mysql",
                "NAME": options["database"],
                "USER": options["user"],
                "PASSWORD": options.get("password", ""),
                "HOST": options.get("unix_socket") or options["host"],
                "PORT": options.get("port", ""),
                "CONN_MAX_AGE": None,
            }
        },
        INSTALLED_APPS=[
            *("django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes"),
            *("django.contrib.sessions", "django.contrib.messages", "bench"),
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        ROOT_URLCONF="bench.stock_admin_urls",
        STATIC_URL="static/",
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
    )
    django.setup()


def main() -> None:
    """Answer the addresses of the standard input until it ends."""
    _configure(json.loads(sys.argv[1]))
    # Django must be set up first.
    from django.contrib.auth.models import User
    from django.core.management import call_command  # as above
    from django.test import Client  # as above

    call_command("migrate", verbosity=0)
    client = Client()
    user: Any = User.objects.create_superuser("bench")  # mypy reads the settings of the site
    client.force_login(user)
    for line in sys.stdin:
        start = time.perf_counter()
        response = client.get(f"{PATH}?{line.strip()}")
        seconds = time.perf_counter() - start
        if response.status_code != 200:
            raise RuntimeError(f"{line.strip()}: the stock admin answers {response.status_code}")
        print(json.dumps({"seconds": seconds, "rows": len(ROW.findall(response.text))}), flush=True)


if __name__ == "__main__":
    main()
