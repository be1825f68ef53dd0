"""The whole product on one machine: engine, queues, worker and site as child processes."""

import http.client
import http.cookiejar
import os
import sys
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from ingest.wire import sqs
from logsite.local import engine, queues
from logsite.local.processes import Child, Children, accepts_connections, free_port

DYNAMODB_PORT, SQS_PORT = 8001, 4566
# Not `manage.py`, which would read `.env` again, and with it what we have taken out.
DJANGO = [sys.executable, "-m", "django"]
# Settings for other places: here the site is on this machine, and never on AWS.
NOT_OURS = ("CSRF_TRUSTED_ORIGINS", "LOGS_ALLOW_AWS")


class StartFailed(Exception):
    """A part of the stack could not be started; the text says which, why, and what to do."""


@dataclass(frozen=True)
class Parts:
    """Where the parts answer, and whose they are: started by us, or named in the environment."""

    dynamodb: str
    sqs: str
    queues: queues.Queues


def take_environment() -> dict[str, str | None]:
    """Take all AWS and Django settings out of our own environment; return the endpoints that were set.

    What stays are dummy credentials: real ones in a developer's shell or `.env` must reach no child, and
    not us. Nor may a proxy come between the parts. Raises StartFailed for an endpoint that is none.
    """
    names = ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS")
    given = {name: os.environ.get(name) or os.environ.get("AWS_ENDPOINT_URL") or None for name in names}
    for name, endpoint in given.items():
        if endpoint and not endpoint.startswith(("http://", "https://")):
            raise StartFailed(f"{name} must begin with http:// or https://, unlike {endpoint}")
    for name in [name for name in os.environ if name.startswith(("AWS_", "DJANGO_")) or name in NOT_OURS]:
        del os.environ[name]
    direct = ",".join(
        filter(None, ["127.0.0.1", "localhost", urllib.request.getproxies_environment().get("no")])
    )
    os.environ.update(
        AWS_ACCESS_KEY_ID="local",
        AWS_SECRET_ACCESS_KEY="local",  # noqa: S106  a dummy
        AWS_DEFAULT_REGION="us-east-1",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
        ALLOWED_HOSTS="127.0.0.1,localhost",  # whatever `.env` says of the real site's names
        DJANGO_SETTINGS_MODULE="logsite.settings",  # the children's; our own are loaded
        NO_PROXY=direct,
        no_proxy=direct,
    )
    return given


def start_parts(children: Children, folder: Path, given: dict[str, str | None]) -> Parts:
    """Start the engine and SQS, unless an endpoint names others; make the tables and the queues.

    The environment then leads to them. Raises StartFailed, and what `Children.check` raises.
    """
    dynamodb = given["AWS_ENDPOINT_URL_DYNAMODB"] or _start_engine(children, folder)
    os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = dynamodb
    sqs_endpoint = given["AWS_ENDPOINT_URL_SQS"] or _start_sqs(children, folder)
    os.environ["AWS_ENDPOINT_URL_SQS"] = sqs_endpoint
    made = queues.create(sqs.client())
    os.environ.update(LOGS_QUEUE_URL=made.url, LOGS_DEAD_LETTER_QUEUE_URL=made.dead_letter_url)
    return Parts(dynamodb, sqs_endpoint, made)


def _start_engine(children: Children, folder: Path) -> str:
    port = free_port(DYNAMODB_PORT)
    command = engine.command(port, folder / "dynamodb.sqlite")
    child = Child("DynamoDB engine", command, os.environ, folder / "engine.log")
    children.add(child)
    children.wait_until(lambda: accepts_connections(port), child, 15)
    return f"http://127.0.0.1:{port}"


def _start_sqs(children: Children, folder: Path) -> str:
    port = free_port(SQS_PORT)
    own = folder / "sqs"
    own.mkdir(exist_ok=True)
    environment = queues.environment(port, own)
    # Its data is in memory: nothing to finish, and it would wait for the worker's last poll.
    emulator = Child("SQS emulator", queues.command(), environment, folder / "sqs.log", patience=0.3)
    children.add(emulator)
    endpoint = f"http://127.0.0.1:{port}"
    children.wait_until(lambda: _answers(f"{endpoint}/_ministack/health"), emulator, 30)
    return endpoint


def start_worker(children: Children, folder: Path) -> None:
    """Start the writer, fed by polling."""
    command = [sys.executable, "-m", "ingest.worker"]
    children.add(Child("worker", command, os.environ, folder / "worker.log"))


def start_site(children: Children, folder: Path, port: int) -> tuple[str, Child]:
    """Start Django's dev server with auto-reload; return its address, and itself."""
    address = f"127.0.0.1:{port}"
    site = Child("site", [*DJANGO, "runserver", address], os.environ, folder / "site.log")
    children.add(site)
    return f"http://{address}/", site


def wait_for_site(children: Children, address: str, site: Child) -> None:
    """Wait until the login page answers. Raises what `Children.wait_until` raises."""
    children.wait_until(lambda: _answers(f"{address}admin/login/"), site, 30)


def manage(children: Children, folder: Path, name: str, *arguments: str, **environment: str) -> None:
    """Run a management command of the site to its end. Raises what `Children.check` raises."""
    command = [*DJANGO, name, *arguments]
    children.run(Child(name, command, {**os.environ, **environment}, folder / f"{name}.log"), 60)


def can_sign_in(address: str, username: str, password: str) -> bool:
    """Tell whether the site takes this name and password, as a browser would find out.

    Raises StartFailed where the site answers with an error or not at all.
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
            # A refused login stays where it is, with the same `next` in its address.
            return bool(urllib.parse.urlsplit(page.url).path == "/admin/password_change/")
    except (OSError, http.client.HTTPException) as error:
        raise StartFailed(f"Nobody can sign in at {login}: {error}") from error


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()  # noqa: S310  an address of ours
    except (OSError, http.client.HTTPException):
        return False
    return True
