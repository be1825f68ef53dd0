"""`manage.py runlocal`: the whole product on a laptop, in one command."""

import fcntl
import os
import shutil
import sys
import time
from pathlib import Path
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from pynamodb.exceptions import PynamoDBException
from tqdm import tqdm

from ingest.client import NotSent
from logs import endpoints
from logsite.accounts.store import UserItem
from logsite.local import engine, queues, stack
from logsite.local.filling import exists, fill
from logsite.local.guard import Guard
from logsite.local.processes import ROOT, ChildDied, Children, Stopped, free_port
from logsite.local.state import State, write_private

SITE_PORT = 8000
# What a developer's own commands need to talk to the running stack.
SHARED = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_DEFAULT_REGION",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_SQS",
    "LOGS_QUEUE_URL",
    "LOGS_DEAD_LETTER_QUEUE_URL",
    "DEBUG",
    "SECRET_KEY",
    "NO_PROXY",
    "no_proxy",
    # Where they are set.
    "LOGS_TABLE",
    "USERS_TABLE",
    "SESSIONS_TABLE",
)
# All that a start leaves in its folder, but for the lock.
OURS = (
    "dynamodb.sqlite*",
    "sqs",
    "env",
    "state.json",
    "*.draft",
    *(f"{name}.log" for name in ("engine", "sqs", "create_tables", "createsuperuser", "worker", "site")),
)
# A start waits so long for what a killed one left behind to end.
LOCK_SECONDS = 2.5


class Command(BaseCommand):
    """Start everything, fill it with sample logs, and run until Ctrl-C."""

    help = (
        "Runs the whole product on this machine, without an AWS account: a DynamoDB engine, SQS, the worker "
        "and the site. The first start makes an admin user and sends sample logs through the queue. "
        "With AWS_ENDPOINT_URL_DYNAMODB or AWS_ENDPOINT_URL_SQS set it uses those instead of its own."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--fresh",
            action="store_true",
            help="Start over: delete the folder's tables, logins and output first.",
        )
        parser.add_argument(
            "--logs", type=int, default=5000, metavar="N", help="How many sample logs (5000)."
        )
        parser.add_argument(
            "--port", type=int, default=SITE_PORT, help=f"The site's usual port ({SITE_PORT})."
        )
        parser.add_argument(
            "--folder", type=Path, default=ROOT / ".local", help="Where the data is kept (.local)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["logs"] < 0:
            raise CommandError("--logs must be 0 or more")
        if not 0 <= options["port"] < 2**16:
            raise CommandError("--port must be 65535 or less; 0 takes any free one")
        os.umask(0o077)  # a password, sessions: for their owner alone
        folder = options["folder"].resolve()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = take_lock(folder)
            if options["fresh"]:
                if endpoints.dynamodb():
                    raise CommandError(
                        "--fresh deletes local data alone: empty the engine that you named yourself."
                    )
                clear(folder)
            state = State.load(folder / "state.json")
        except OSError as error:
            raise CommandError(f"{folder} cannot be used: {error}") from error
        children = Children(Guard(lock.fileno()))
        children.listen_to_signals()
        try:
            self.run_watched(children, folder, state, options)
        except Stopped:
            self.say("\nStopping ...")
        except (ChildDied, stack.StartFailed, engine.EngineMissing, queues.EmulatorMissing) as error:
            raise CommandError(str(error)) from error
        finally:
            children.stop()
            lock.close()

    def run_watched(self, children: Children, folder: Path, state: State, options: dict[str, Any]) -> None:
        """Run; where something does not answer, say which child has died, if one has."""
        try:
            self.run(children, folder, state, options)
        except (BotoCoreError, ClientError, PynamoDBException, NotSent) as error:
            time.sleep(0.5)  # a child's connections break a moment before its status is known
            children.check()
            raise stack.StartFailed(f"A part of the stack does not answer: {error}") from error

    def run(self, children: Children, folder: Path, state: State, options: dict[str, Any]) -> None:
        """Start the parts in their order, and stay until the end. Raises Stopped or ChildDied."""
        given = stack.take_environment()
        os.environ.update(DEBUG="on", SECRET_KEY=state.secret_key, PYTHONUNBUFFERED="1")
        for name, endpoint in given.items():
            if endpoint:
                self.say(f"{name} is set: using {endpoint} instead of starting one.")
        parts = stack.start_parts(children, folder, given)
        write_private(
            folder / "env", "".join(f"{name}={os.environ[name]}\n" for name in SHARED if name in os.environ)
        )
        stack.manage(children, folder, "create_tables")
        stack.start_worker(children, folder)
        address, site = stack.start_site(children, folder, free_port(options["port"]))
        if not exists(UserItem, state.username):
            stack.manage(
                children,
                folder,
                "createsuperuser",
                "--noinput",
                DJANGO_SUPERUSER_USERNAME=state.username,
                DJANGO_SUPERUSER_PASSWORD=state.password,
                DJANGO_SUPERUSER_EMAIL="admin@localhost.invalid",
            )
        stack.wait_for_site(children, address, site)
        self.greet(address, state, folder, parts, given)
        # A developer wants to see requests and stack traces, beside the progress bar.
        site.echo = lambda line: tqdm.write(line, file=sys.stderr, end="")
        if dead := fill(options["logs"], parts.queues, state, children.check):
            self.say(f"{dead} messages are in the dead-letter queue.")
        self.say(f"\nReady: {address}   {state.username} / {state.password}   (Ctrl-C stops everything)")
        children.wait_for_the_end()

    def greet(
        self, address: str, state: State, folder: Path, parts: stack.Parts, given: dict[str, str | None]
    ) -> None:
        """Print where the site is and how to get in, once getting in works."""
        shown = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
        password = state.password
        if not stack.can_sign_in(address, state.username, state.password):
            password = "(another than the first start's)"  # noqa: S105  a remark, not a password
        data = "" if given["AWS_ENDPOINT_URL_DYNAMODB"] else f", data in {shown}/dynamodb.sqlite"
        memory = "" if given["AWS_ENDPOINT_URL_SQS"] else ", in memory: what waits there at a stop is gone"
        self.say(
            f"\n  {address}\n"
            f"  user name  {state.username}\n"
            f"  password   {password}\n\n"
            f"  DynamoDB   {parts.dynamodb}{data}\n"
            f"  SQS        {parts.sqs}{memory}\n"
            f"  output     {shown}/*.log\n\n"
            "Send a log of your own:\n"
            f"  env $(cat {shown}/env) {python()} -c 'from ingest.client import LogClient; "
            'LogClient(sync=True).enqueue(account_id=7, user_id=12, type="login", sub_type="password", '
            'url="/login")\'\n'
        )

    def say(self, text: str) -> None:
        """Print at once, also into a pipe."""
        self.stdout.write(text)
        self.stdout.flush()


def take_lock(folder: Path) -> IO[str]:
    """Keep a second `runlocal` off the same data. Raises CommandError where one runs."""
    lock = (folder / "lock").open("w")
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                lock.close()
                raise CommandError(
                    f"Another `runlocal` is running on {folder}. Stop it, or name another --folder."
                ) from error
            time.sleep(0.1)
        else:
            return lock


def clear(folder: Path) -> None:
    """Delete what earlier starts left, and nothing else: the folder may be any that was named."""
    for path in (path for pattern in OURS for path in list(folder.glob(pattern))):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def python() -> str:
    """Return this Python as one would type it here."""
    path = Path(sys.executable)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
