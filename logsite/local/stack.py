"""The local stack as child processes: engine, SQS, worker, site and digests builder."""

import http.client
import http.cookiejar
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from ingest.wire import sqs
from logs.models import LogItem
from logs.storage import digest_items, export_items, tables, view_items
from logs.storage.digest_items import DigestItem
from logs.storage.export_items import ExportItem
from logs.storage.view_items import ViewsItem
from logsite.accounts.store import SessionItem, TokenItem, UserItem
from logsite.local import engine, queues
from logsite.local.errors import StackError
from logsite.local.ports import accepts_connections, free_port
from logsite.local.processes import Child, Children

DYNAMODB_PORT, SQS_PORT = 8001, 4566
ENDPOINT_NAMES = ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS")
# Not `manage.py`: it would read `.env` again and restore the variables that `isolate_environment` removed.
DJANGO = [sys.executable, "-m", "django"]
# Settings of deployed sites. The local site is on this machine and never uses AWS.
DEPLOYED_ONLY = ("CSRF_TRUSTED_ORIGINS", "LOGS_ALLOW_AWS")


class StartFailed(StackError):
    """A part of the stack could not be started."""


@dataclass(frozen=True)
class Services:
    """The endpoints of DynamoDB and SQS, and the queues.

    An endpoint belongs to a child process, or to a service that the environment names.
    """

    dynamodb: str
    sqs: str
    queues: queues.Queues


def isolate_environment() -> dict[str, str | None]:
    """Remove AWS and Django settings from the environment; return the endpoints set there.

    Dummy credentials replace real ones from the developer's shell or `.env`, for this process and for
    every child. The parts use no proxy between each other. Raise StartFailed if an endpoint is not a URL.
    """
    endpoints = {
        name: os.environ.get(name) or os.environ.get("AWS_ENDPOINT_URL") or None for name in ENDPOINT_NAMES
    }
    for name, endpoint in endpoints.items():
        if endpoint and not endpoint.startswith(("http://", "https://")):
            raise StartFailed(f"{name} must begin with http:// or https://, not {endpoint!r}.")
    for name in list(os.environ):
        if name.startswith(("AWS_", "DJANGO_")) or name in DEPLOYED_ONLY:
            del os.environ[name]
    no_proxy = ["127.0.0.1", "localhost"]
    if hosts := urllib.request.getproxies_environment().get("no"):
        no_proxy.append(hosts)
    os.environ.update(
        AWS_ACCESS_KEY_ID="local",
        AWS_SECRET_ACCESS_KEY="local",  # noqa: S106  a dummy
        AWS_DEFAULT_REGION="us-east-1",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
        ALLOWED_HOSTS="127.0.0.1,localhost",  # `.env` may hold the deployed site's names
        DJANGO_SETTINGS_MODULE="logsite.settings",  # for the children; this process has loaded its own
        NO_PROXY=",".join(no_proxy),
        no_proxy=",".join(no_proxy),
    )
    return endpoints


def start_services(children: Children, folder: Path, endpoints: dict[str, str | None]) -> Services:
    """Start DynamoDB and SQS unless `endpoints` names them, and create the queues.

    Set the endpoints and the queues' addresses in the environment. Raise StackError, StopRequested. If a
    table is from another version, raise StartFailed before SQS starts.
    """
    dynamodb = endpoints["AWS_ENDPOINT_URL_DYNAMODB"] or _start_engine(children, folder)
    os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = dynamodb
    check_tables(folder, endpoints["AWS_ENDPOINT_URL_DYNAMODB"])
    sqs_endpoint = endpoints["AWS_ENDPOINT_URL_SQS"] or _start_sqs(children, folder)
    os.environ["AWS_ENDPOINT_URL_SQS"] = sqs_endpoint
    stack_queues = queues.create(sqs.client())
    os.environ.update(
        LOGS_QUEUE_URL=stack_queues.url, LOGS_DEAD_LETTER_QUEUE_URL=stack_queues.dead_letter_url
    )
    return Services(dynamodb, sqs_endpoint, stack_queues)


def check_tables(folder: Path, endpoint: str | None) -> None:
    """Raise StartFailed if a table has other keys or indexes than its model.

    They cannot be changed in place. Without an `endpoint` the tables are in the folder. Costs up to two
    DescribeTable per table.
    """
    switched = {
        ViewsItem: view_items.is_on(),
        DigestItem: digest_items.is_on(),
        ExportItem: export_items.is_on(),
    }
    models = [LogItem, UserItem, SessionItem, TokenItem, *(model for model, on in switched.items() if on)]
    names = [model.Meta.table_name for model in models if tables.is_outdated(model)]
    if not names:
        return
    text = f"These tables have other keys or indexes than this version of Logsite: {', '.join(names)}."
    if endpoint:
        raise StartFailed(f"{text} Delete them at {endpoint}, or name other tables in the settings.")
    raise StartFailed(
        f"{text} The data in {folder} is from another version. To delete it and start over, add --fresh: "
        'make run ARGS="--fresh"'
    )


def _start_engine(children: Children, folder: Path) -> str:
    port = free_port(DYNAMODB_PORT)
    command = engine.command(port, folder / "dynamodb.sqlite")
    child = Child("DynamoDB engine", command, os.environ, folder / "engine.log")
    children.add(child)
    children.wait_until(lambda: accepts_connections(port), child, 15)
    return f"http://127.0.0.1:{port}"


def _start_sqs(children: Children, folder: Path) -> str:
    port = free_port(SQS_PORT)
    data = folder / "sqs"
    data.mkdir(exist_ok=True)
    environment = queues.environment(port, data)
    # Its data is in memory, so there is nothing to save, and it would wait for the worker's long poll.
    emulator = Child("SQS emulator", queues.command(), environment, folder / "sqs.log", stop_timeout=0.3)
    children.add(emulator)
    endpoint = f"http://127.0.0.1:{port}"
    children.wait_until(lambda: _responds(f"{endpoint}/_ministack/health"), emulator, 30)
    return endpoint


def start_worker(children: Children, folder: Path) -> None:
    """Start the writer as a worker that polls the queue."""
    command = [sys.executable, "-m", "ingest.worker"]
    children.add(Child("worker", command, os.environ, folder / "worker.log"))


def start_digests_builder(children: Children, folder: Path) -> None:
    """Start the digests builder unless digests are off. It runs at once, then on schedule."""
    if digest_items.is_on():
        command = [sys.executable, "-m", "logsite.local.schedule"]
        children.add(Child("digests builder", command, os.environ, folder / "digests.log"))


def start_site(children: Children, folder: Path, port: int) -> tuple[str, Child]:
    """Start Django's development server with auto-reload; return its address and the process."""
    address = f"127.0.0.1:{port}"
    site = Child("site", [*DJANGO, "runserver", address], os.environ, folder / "site.log")
    children.add(site)
    return f"http://{address}/", site


def wait_for_site(children: Children, address: str, site: Child) -> None:
    """Wait until the login page loads. Raise ChildFailed, StopRequested."""
    children.wait_until(lambda: _responds(f"{address}admin/login/"), site, 30)


def manage(children: Children, folder: Path, name: str, *arguments: str, **environment: str) -> None:
    """Run a management command of the site, without Django's checks. Raise ChildFailed, StopRequested."""
    # `runserver` runs the checks, which load all pages.
    command = [*DJANGO, name, "--skip-checks", *arguments]
    children.run(Child(name, command, {**os.environ, **environment}, folder / f"{name}.log"), 60)


def can_sign_in(address: str, username: str, password: str) -> bool:
    """Return whether the site accepts this username and password in its login form.

    Return False too if the site throttles sign-in. Raise StartFailed if it returns another error or is
    unreachable.
    """
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    login = f"{address}admin/login/?next=/admin/password_change/"
    try:
        browser.open(login, timeout=10).close()
        token = next((cookie.value for cookie in jar if cookie.name == "csrftoken"), None)
        form = urllib.parse.urlencode(
            {"username": username, "password": password, "csrfmiddlewaretoken": token}
        )
        with browser.open(login, form.encode(), timeout=10) as page:
            # After a failed login the address is still the login page's, with the same `next`.
            return bool(urllib.parse.urlsplit(page.url).path == "/admin/password_change/")
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, urllib.error.HTTPError) and error.code == HTTPStatus.TOO_MANY_REQUESTS:
            return False
        raise StartFailed(f"The login page {login} failed: {error}") from error


def _responds(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()  # noqa: S310  the URL begins with http://127.0.0.1
    except (OSError, http.client.HTTPException):
        return False
    return True
