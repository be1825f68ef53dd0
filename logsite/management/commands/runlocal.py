"""`manage.py runlocal`: run the whole product on this machine."""

import os
import sys
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from ingest.client import NotSent
from logs.storage import endpoints
from logs.storage.errors import AWS_ERRORS
from logsite.accounts.store import UserItem
from logsite.local import stack
from logsite.local.data_folder import delete_data, lock_folder
from logsite.local.errors import StackError
from logsite.local.ports import free_port
from logsite.local.processes import ROOT, Children, StopRequested
from logsite.local.sample_sender import exists, send_samples
from logsite.local.state import State, write_private_file
from logsite.local.watchdog import Watchdog

SITE_PORT = 8000
SAMPLE_LOGS = 5000
# The variables that a developer's own commands need to use the running stack.
SHARED_VARIABLES = (
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
    "LOGS_EXPORTS_FOLDER",
    "NO_PROXY",
    "no_proxy",
    # Only if the developer sets them.
    "LOGS_TABLE",
    "USERS_TABLE",
    "SESSIONS_TABLE",
    "TOKENS_TABLE",
    "DIGESTS_TABLE",
    "VIEWS_TABLE",
    "EXPORTS_TABLE",
)


class Command(BaseCommand):
    """Start the stack, send sample logs, and run until Ctrl-C."""

    help = (
        "Runs the whole product on this machine, without an AWS account: a DynamoDB engine, SQS, the worker, "
        "the site and the digests builder. The first start creates an admin user and sends sample logs "
        "through the queue. If AWS_ENDPOINT_URL_DYNAMODB or AWS_ENDPOINT_URL_SQS is set, it uses that "
        "service instead of starting one."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--fresh",
            action="store_true",
            help="Start over: first delete the tables, users and output in the folder.",
        )
        parser.add_argument(
            "--logs",
            type=int,
            default=SAMPLE_LOGS,
            metavar="N",
            help=f"Number of sample logs (default: {SAMPLE_LOGS}).",
        )
        parser.add_argument(
            "--port",
            type=int,
            default=SITE_PORT,
            help=f"Port of the site (default: {SITE_PORT}). If it is in use, another one is chosen.",
        )
        parser.add_argument(
            "--folder", type=Path, default=ROOT / ".local", help="Folder of the data (default: .local)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["logs"] < 0:
            raise CommandError(f"--logs must be 0 or more, not {options['logs']}.")
        if not 0 <= options["port"] < 2**16:
            raise CommandError(
                f"--port must be from 0 (any free port) to {2**16 - 1}, not {options['port']}."
            )
        os.umask(0o077)  # the folder holds a password and sessions
        try:
            self.run_in_folder(options["folder"].resolve(), options)
        except StackError as error:
            raise CommandError(str(error)) from error

    def run_in_folder(self, folder: Path, options: dict[str, Any]) -> None:
        """Lock the folder, run, and end all children. Raise CommandError, StackError."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = lock_folder(folder)
            if options["fresh"]:
                if endpoints.dynamodb():
                    raise CommandError(
                        "--fresh deletes only local data. "
                        "Delete the tables at AWS_ENDPOINT_URL_DYNAMODB yourself, or unset it."
                    )
                delete_data(folder)
            state = State.load(folder / "state.json")
        except OSError as error:
            raise CommandError(f"The folder {folder} is not usable: {error}") from error
        children = Children(Watchdog(lock.fileno()))
        children.install_signal_handlers()
        try:
            self.run_checked(children, folder, state, options)
        except StopRequested:
            self.write("\nStopping ...")
        finally:
            children.stop()
            lock.close()

    def run_checked(self, children: Children, folder: Path, state: State, options: dict[str, Any]) -> None:
        """Run. Raise StackError if a part is unreachable; it names the child that exited, if one did."""
        try:
            self.run(children, folder, state, options)
        except (*AWS_ERRORS, NotSent) as error:
            time.sleep(0.5)  # a child's connections break shortly before its exit status is available
            children.check()
            raise stack.StartFailed(f"A part of the stack is unreachable: {error}") from error

    def run(self, children: Children, folder: Path, state: State, options: dict[str, Any]) -> None:
        """Start the parts in order and wait. Raise StopRequested, StackError."""
        external_endpoints = stack.isolate_environment()
        os.environ.update(
            DEBUG="on",
            SECRET_KEY=state.secret_key,
            PYTHONUNBUFFERED="1",
            LOGS_EXPORTS_FOLDER=str(folder / "exports"),
        )
        for name, endpoint in external_endpoints.items():
            if endpoint:
                self.write(f"{name} is set: using {endpoint} instead of starting one.")
        services = stack.start_services(children, folder, external_endpoints)
        variables = [f"{name}={os.environ[name]}\n" for name in SHARED_VARIABLES if name in os.environ]
        write_private_file(folder / "env", "".join(variables))
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
        self.print_addresses(address, state, folder, services, external_endpoints)
        # A developer wants to see requests and stack traces, above the progress bar.
        site.on_line = lambda line: tqdm.write(line, file=sys.stderr, end="")
        if dead_letters := send_samples(options["logs"], services.queues, state, children.check):
            self.write(f"The dead-letter queue holds {dead_letters} messages.")
        # After the sample logs, so that its first run finds them.
        stack.start_digests_builder(children, folder)
        self.write(f"\nReady: {address}   {state.username} / {state.password}   (Ctrl-C stops everything)")
        children.wait()

    def print_addresses(
        self,
        address: str,
        state: State,
        folder: Path,
        services: stack.Services,
        external_endpoints: dict[str, str | None],
    ) -> None:
        """Print the parts' addresses, the login, and a command that sends a log.

        `external_endpoints` holds the endpoints that were set in the environment.
        """
        path = relative_path(folder)
        password = state.password
        if not stack.can_sign_in(address, state.username, state.password):
            password = "(changed since the first start)"  # noqa: S105  a remark, not a password
        data = "" if external_endpoints["AWS_ENDPOINT_URL_DYNAMODB"] else f", data in {path}/dynamodb.sqlite"
        memory = (
            "" if external_endpoints["AWS_ENDPOINT_URL_SQS"] else ", in memory: a stop loses waiting messages"
        )
        self.write(
            f"\n  {address}\n"
            f"  user name  {state.username}\n"
            f"  password   {password}\n\n"
            f"  DynamoDB   {services.dynamodb}{data}\n"
            f"  SQS        {services.sqs}{memory}\n"
            f"  output     {path}/*.log\n\n"
            "Send a log:\n"
            f"  env $(cat {path}/env) {relative_path(Path(sys.executable))} "
            "-c 'from ingest.client import LogClient; "
            'LogClient(sync=True).enqueue(account_id=7, user_id=12, type="login", sub_type="password", '
            'url="/login")\'\n'
        )

    def write(self, text: str) -> None:
        """Print a text and flush it, because standard output may be a pipe."""
        self.stdout.write(text)
        self.stdout.flush()


def relative_path(path: Path) -> Path:
    """Return the path relative to the current folder if it is inside it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
