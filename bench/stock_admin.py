"""A process with Django's stock admin over MariaDB.

Django has one set of settings in a process. This one reads requests as lines of JSON, and writes for each the
seconds that its response took, and the ids of its logs.
"""

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, cast

from bench.visitor import Visitor

# The page of logs, after the name of the admin.
LISTING = "bench/log/"
# The admin as a project declares it; without `show_full_result_count`; and without filters beside the list.
VARIANTS = ("admin", "uncounted", "plain")
ROWS_PER_PAGE = 100
# The columns of Logsite's listing.
LIST_DISPLAY = (
    *("created_at", "account_id", "user_id", "type", "sub_type", "url"),
    *("submitter_city", "submitter_country", "submitter_platform", "submitter_browser"),
)
# Django asks for this version of mysqlclient. PyMySQL has the same interface.
MYSQLCLIENT = (2, 2, 1, "final", 0)


@dataclass(frozen=True)
class Timing:
    """The seconds of a response, and the ids of its logs in order."""

    seconds: float
    ids: list[str]


class StockAdmin:
    """The process of the admins, which answers one request at a time."""

    def __init__(self, stdin: IO[str], stdout: IO[str]) -> None:
        self._stdin = stdin
        self._stdout = stdout

    def send(self, variant: str, address: str, data: dict[str, Any] | None = None) -> Timing:
        """Return how long a response takes. The address is relative to the page of logs.

        Raises RuntimeError if there is none.
        """
        self._stdin.write(json.dumps([f"/{variant}/{LISTING}{address}", data]) + "\n")
        self._stdin.flush()
        line = self._stdout.readline()
        if not line:
            raise RuntimeError(f"the stock admin ended at {address}")
        return Timing(**json.loads(line))


@contextmanager
def run_stock_admin(options: dict[str, Any]) -> Iterator[StockAdmin]:
    """Run the admins until the block ends. The options are those of a connection of PyMySQL."""
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
    # Only the process of the stock admin has these settings: those of `startproject`, over MariaDB.
    import django
    from django.conf import settings  # as above

    pymysql: Any = importlib.import_module("pymysql")  # its group of requirements is optional
    pymysql.version_info = MYSQLCLIENT
    pymysql.install_as_MySQLdb()
    settings.configure(
        SECRET_KEY="of a benchmark",
        ALLOWED_HOSTS=["localhost"],
        TIME_ZONE="UTC",
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
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
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


def _sign_in() -> Visitor:
    # Django must be set up first.
    from django.conf import settings
    from django.contrib.auth.models import User  # as above
    from django.core.management import call_command  # as above
    from django.core.wsgi import get_wsgi_application  # as above
    from django.test import Client  # as above

    call_command("migrate", verbosity=0)
    client = Client()
    user: Any = User.objects.create_superuser("bench")  # mypy reads the settings of the site
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    handler: Any = get_wsgi_application()
    return Visitor(handler.get_response, f"{name}={client.cookies[name].value}")


def main() -> None:
    """Answer the requests of the standard input until it ends."""
    _configure(json.loads(sys.argv[1]))
    user = _sign_in()
    for line in sys.stdin:
        reply = user.send(*json.loads(line))
        print(json.dumps({"seconds": reply.seconds, "ids": reply.ids()}), flush=True)


if __name__ == "__main__":
    main()
