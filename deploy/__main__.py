"""`python -m deploy up --stage dev`: what `make deploy` and its relatives call."""

import argparse
import sys
from functools import partial
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from deploy import account as accounts
from deploy import commands, environment, functions, mapping, stacks, tailing
from deploy.account import Account, NoAccount
from deploy.environment import ARCHITECTURES, PYTHONS, BuildFailed, Target
from deploy.stacks import StackFailed
from deploy.stage import ROOT, NoSuchStage, Stage

EXPECTED = (
    BotoCoreError,
    BuildFailed,
    ClientError,
    NoAccount,
    NoSuchStage,
    StackFailed,
    commands.NotDeployed,
    commands.StillUsed,
)
MAX_DAYS = 36_500
# Options of createsuperuser with which it asks nothing.
NEED_NO_TERMINAL = {"--noinput", "--no-input", "--help", "-h"}


class NotReady(Exception):
    """Something is missing before anything can begin; the text says all of it."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit status."""
    options = parser().parse_args(arguments)
    say = partial(print, flush=True)
    try:
        stage, account = ready(options)
        if options.command == "up":
            target = target_of(options, stage, account)
            commands.up(stage, account, target, given_parameters(options, stage, account), say)
        elif options.command == "down":
            if options.delete_data:
                confirm_deletion(options, stage)
                commands.check_deletable(stage, account)
            commands.down(stage, account, say)
            if options.delete_data:
                commands.delete_data(stage, account, say)
            else:
                say(
                    f"Kept: tables, queues and what waits in them, {stage.secret_parameter}; in the stack "
                    f"{stage.resources_stack} bucket, sender's policy, log groups, topic, budget, dashboard."
                )
                say(f"To delete all that too: make undeploy STAGE={stage.name} DELETE_DATA=yes")
        elif options.command == "rollback":
            commands.rollback(stage, account, options.versions, say)
        elif options.command == "status":
            commands.status(stage, account, say)
        elif options.command == "tail":
            commands.tail(stage, account, options.minutes, options.level, say, follow=not options.once)
        else:
            rest = (
                options.arguments if options.command == "manage" else ["createsuperuser", *options.arguments]
            )
            return commands.manage(stage, account, rest)
    except (*EXPECTED, NotReady) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(prog="python -m deploy", description="Deploy Logsite to AWS.")
    subs = top.add_subparsers(dest="command", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--stage", required=True, help="a stage of zappa_settings.json: dev, production")
    common.add_argument("--build", type=Path, default=ROOT / "build", help="where to build; default: build")
    up = subs.add_parser("up", parents=[common], help="deploy, or bring up to date")
    up.add_argument("--keep-days", default="", help="how long logs are kept; 0 for ever; asked for at first")
    up.add_argument(
        "--python", default="", help=f"Lambda's Python; by default what the stage runs, at first {PYTHONS[0]}"
    )
    up.add_argument("--arch", default="", help=f"{' or '.join(ARCHITECTURES)}; default: x86_64")
    up.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a template's parameter")
    down = subs.add_parser("down", parents=[common], help="take the functions down; the data stays")
    down.add_argument("--delete-data", action="store_true", help="delete logs, users and queues too")
    down.add_argument("--confirm", default="", help="the stage's name again, instead of an answer")
    rollback = subs.add_parser("rollback", parents=[common], help="run earlier code again")
    rollback.add_argument("--versions", type=int, default=1, help="how many deployments ago; default: 1")
    subs.add_parser("status", parents=[common], help="what runs, what waits, which alarms ring")
    tail = subs.add_parser("tail", parents=[common], help="both functions' log lines")
    tail.add_argument("--minutes", type=int, default=10, help="how far back to begin; default: 10")
    tail.add_argument(
        "--level", choices=tailing.LEVELS, help="how grave at least; default: all that the functions say"
    )
    tail.add_argument("--once", action="store_true", help="end with the last line that is there")
    admin = subs.add_parser(
        "admin", parents=[common], help="make an administrator; asks for the password here"
    )
    admin.add_argument("arguments", nargs="*", help="after --: options of Django's createsuperuser")
    manage = subs.add_parser("manage", parents=[common], help="run a command of manage.py against the stage")
    manage.add_argument("arguments", nargs="+", help="after --: the command and its options")
    return top


def ready(options: argparse.Namespace) -> tuple[Stage, Account]:
    """Return stage and account. Raises NotReady with everything that is missing, not with the first of it."""
    stage = Stage(options.stage, options.build.resolve())
    missing: list[str] = []
    account = None
    try:
        stage.settings()
    except NoSuchStage as error:
        missing.append(str(error))
    try:
        account = accounts.find()
    except NoAccount as error:
        missing.append(str(error))
    if options.command == "rollback" and options.versions < 1:
        missing.append(f"--versions must be 1 or more, not {options.versions}")
    if (
        options.command == "admin"
        and not sys.stdin.isatty()
        and NEED_NO_TERMINAL.isdisjoint(options.arguments)
    ):
        missing.append(
            'admin asks for name and password, and there is no terminal: ARGS="--noinput --username NAME '
            '--email ADDRESS", with the password in DJANGO_SUPERUSER_PASSWORD'
        )
    if options.command == "up":
        if options.python not in ("", *PYTHONS):
            missing.append(f"PYTHON must be one of {', '.join(PYTHONS)}, not {options.python!r}")
        if options.arch not in ("", *ARCHITECTURES):
            missing.append(f"ARCH must be one of {', '.join(ARCHITECTURES)}, not {options.arch!r}")
        if options.keep_days and not (options.keep_days.isdecimal() and int(options.keep_days) <= MAX_DAYS):
            missing.append(
                f"KEEP must be a number of days up to {MAX_DAYS}, 0 for ever, not {options.keep_days!r}"
            )
        missing += [f"--set takes NAME=VALUE, not {text!r}" for text in options.set if "=" not in text]
    if missing or account is None:
        raise NotReady("Not ready:\n" + "\n".join(f"- {problem}" for problem in missing))
    return stage, account


def target_of(options: argparse.Namespace, stage: Stage, account: Account) -> Target:
    """Return what to build for: what the command line says, or what the stage runs, or the newest Python.

    An emulator runs the Python that is here. Raises NotReady where the stage runs on another processor.
    """
    if account.endpoint and not options.python and not options.arch:
        return Target(environment.this_python(), "x86_64", here=True)
    runs = functions.configuration(account, stage.web_function) or {}
    [processor] = runs.get("Architectures", [options.arch or "x86_64"])
    if options.arch not in ("", processor):
        raise NotReady(
            f"{stage.web_function} runs on {processor}, where code for {options.arch} does not start: "
            f"make undeploy STAGE={stage.name} (the data stays), then deploy with ARCH={options.arch}."
        )
    return Target(options.python or runs.get("Runtime", "").removeprefix("python") or PYTHONS[0], processor)


def given_parameters(options: argparse.Namespace, stage: Stage, account: Account) -> dict[str, str]:
    """Return the parameters of the command line. How long to keep logs is asked once. Raises NotReady."""
    given = dict(text.split("=", 1) for text in options.set)
    kinds = stacks.declared(account, commands.TEMPLATE) | stacks.declared(account, mapping.TEMPLATE)
    known = kinds.keys() - commands.OWN_PARAMETERS
    if unknown := sorted(given.keys() - known):
        raise NotReady(f"--set knows {', '.join(sorted(known))}, not {', '.join(unknown)}")
    for name, value in given.items():
        if kinds[name] == "Number" and not (value.isascii() and value.isdecimal()):
            raise NotReady(f"{name} must be a whole number, not {value!r}")
    days = options.keep_days
    if not days and not stacks.parameters(account, stage.resources_stack).get("RetentionDays"):
        if not sys.stdin.isatty():
            raise NotReady("Say how many days logs are kept: KEEP=365, or KEEP=0 for ever.")
        while not (days.isdecimal() and int(days) <= MAX_DAYS):
            days = input("How many days are logs kept? 0 for ever: ").strip()
    return {**given, **({"RetentionDays": str(int(days))} if days else {})}


def confirm_deletion(options: argparse.Namespace, stage: Stage) -> None:
    """Ask a second time before data is deleted. Raises NotReady where the answer is another."""
    answer = options.confirm
    if not answer and sys.stdin.isatty():
        answer = input(f"This deletes all logs and users of {stage.name}. Type its name to go on: ").strip()
    if answer != stage.name:
        raise NotReady(f"Nothing was deleted: say it twice, DELETE_DATA=yes and CONFIRM={stage.name}.")


if __name__ == "__main__":
    sys.exit(main())
