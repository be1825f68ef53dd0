"""What a check found: a line for people, a word for scripts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from ingest.client import NotSent
from logs.reader import StoreUnavailable

# What the libraries raise where AWS refuses or does not answer.
TROUBLE = (BotoCoreError, ClientError, PynamoDBException, StoreUnavailable, NotSent)


class Verdict(StrEnum):
    """How it stands."""

    OK = "OK"
    NOTE = "NOTE"  # not as on AWS, and no fault
    FAIL = "FAIL"


@dataclass(frozen=True)
class Finding:
    """One line: of what, how it stands, and what to do where it fails."""

    verdict: Verdict
    what: str
    text: str

    def __str__(self) -> str:
        return f"{self.verdict:<4} {self.what}: {self.text}"


def ok(what: str, text: str) -> Finding:
    """Return that all is well."""
    return Finding(Verdict.OK, what, text)


def note(what: str, text: str) -> Finding:
    """Return something worth knowing that is no fault."""
    return Finding(Verdict.NOTE, what, text)


def fail(what: str, problem: str, remedy: str) -> Finding:
    """Return a fault, with what to do."""
    return Finding(Verdict.FAIL, what, f"{problem}. {remedy}")


def guarded(what: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Give what a check finds; a fault where AWS refuses what it asks, or does not answer."""
    try:
        yield from check()
    except TROUBLE as error:
        yield fail(
            what, str(error).rstrip("."), "See `manage.py doctor --help` for the permissions it needs."
        )
