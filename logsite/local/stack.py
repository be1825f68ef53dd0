"""The whole product on one machine: engine, queues, worker and site as child processes."""

import http.cookiejar
import os
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from ingest import sqs
from logsite.local import engine, queues
from logsite.local.processes import Child, Children, accepts_connections, free_port

ROOT = Path(__file__).resolve().parent.parent.parent
DYNAMODB_PORT, SQS_PORT = 8001, 4566


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

    What stays are dummy credentials: real ones in a developer's shell must reach no child, and not us.
    Raises StartFailed for an endpoint that is none.
    """
    names = ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS")
    given = {name: os.environ.get(name) or os.environ.get("AWS_ENDPOINT_URL") or None for name in names}
    for name, endpoint in given.items():
        if endpoint and not endpoint.startswith(("http://", "https://")):
            raise StartFailed(f"{name} must begin with http:// or https://, unlike {endpoint}")
    for name in [name for name in os.environ if name.startswith(("AWS_", "DJANGO_"))]:
        del os.environ[name]
    os.environ.update(
        AWS_ACCESS_KEY_ID="local",
        AWS_SECRET_ACCESS_KEY="local",  # noqa: S106  a dummy
        AWS_DEFAULT_REGION="us-east-1",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
        ALLOWED_HOSTS="127.0.0.1,localhost",  # whatever `.env` says of the real site's names
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
    children.add(Child("DynamoDB engine", command, os.environ, folder / "engine.log"))
    children.wait_until(lambda: accepts_connections(port), "The DynamoDB engine", 15)
    return f"http://127.0.0.1:{port}"


def _start_sqs(children: Children, folder: Path) -> str:
    port = free_port(SQS_PORT)
    environment = queues.environment(port, folder)
    # Its data is in memory: nothing to finish, and it would wait for the worker's last poll.
    emulator = Child("SQS emulator", queues.command(), environment, folder / "sqs.log", patience=0.3)
    children.add(emulator)
    endpoint = f"http://127.0.0.1:{port}"
    children.wait_until(lambda: _answers(f"{endpoint}/_ministack/health"), "The SQS emulator", 30)
    return endpoint


def start_worker(children: Children, folder: Path) -> None:
    """Start the writer, fed by polling."""
    command = [sys.executable, "-m", "ingest.worker"]
    children.add(Child("worker", command, os.environ, folder / "worker.log"))


def start_site(children: Children, folder: Path, port: int) -> str:
    """Start Django's dev server with auto-reload; return its address once it answers."""
    address = f"127.0.0.1:{port}"
    command = [sys.executable, str(ROOT / "manage.py"), "runserver", address]
    # Echoed: a developer wants to see requests and stack traces.
    children.add(Child("site", command, os.environ, folder / "site.log", echo=True))
    children.wait_until(lambda: _answers(f"http://{address}/admin/login/"), "The site", 30)
    return f"http://{address}/"


def manage(*arguments: str, **environment: str) -> None:
    """Run a management command of the site to its end. Raises StartFailed with what it printed."""
    run = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # Ctrl-C is ours to handle
    )
    if run.returncode:
        raise StartFailed(f"manage.py {arguments[0]} failed:\n{run.stdout}")


def can_sign_in(address: str, username: str, password: str) -> bool:
    """Tell whether the site takes this name and password, as a browser would find out."""
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    login = f"{address}admin/login/?next=/admin/password_change/"
    browser.open(login, timeout=10).close()
    token = next(cookie.value for cookie in jar if cookie.name == "csrftoken")
    form = urllib.parse.urlencode({"username": username, "password": password, "csrfmiddlewaretoken": token})
    with browser.open(login, form.encode(), timeout=10) as page:
        # A refused login stays where it is, with the same `next` in its address.
        return bool(urllib.parse.urlsplit(page.url).path == "/admin/password_change/")


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()  # noqa: S310  an address of ours
    except (urllib.error.URLError, OSError):
        return False
    return True
