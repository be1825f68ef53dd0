"""The result of a check: one line for people, one JSON object for scripts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from ingest.client import NotSent
from ingest.wire.errors import is_queue_missing
from ingest.wire.queue_url import InvalidQueueUrl
from logs.storage.errors import AWS_ERRORS, StoreUnavailable


class Verdict(StrEnum):
    """The outcome of a check."""

    OK = "OK"
    NOTE = "NOTE"  # differs from a deployment on AWS, but is no fault
    FAIL = "FAIL"


@dataclass(frozen=True)
class CheckResult:
    """The outcome of a check. `what` is the part, `text` the explanation.

    The attributes are the keys of the JSON object.
    """

    verdict: Verdict
    what: str
    text: str

    def __str__(self) -> str:
        return f"{self.verdict:<4} {self.what}: {self.text}"


def ok(part: str, text: str) -> CheckResult:
    """Return an OK result: the part works as configured."""
    return CheckResult(Verdict.OK, part, text)


def note(part: str, text: str) -> CheckResult:
    """Return a NOTE result: a difference from a deployment on AWS, but no fault."""
    return CheckResult(Verdict.NOTE, part, text)


def fail(part: str, problem: str, next_step: str) -> CheckResult:
    """Return a FAIL result. Its text is the problem and the next step."""
    return CheckResult(Verdict.FAIL, part, f"{problem}. {next_step}")


def run_check(part: str, check: Callable[[], Iterator[CheckResult]]) -> Iterator[CheckResult]:
    """Yield the results of a check. An error of AWS or a wrong URL ends the check with a FAIL result."""
    try:
        yield from check()
    except InvalidQueueUrl as error:
        yield fail(part, str(error).rstrip("."), "Correct the setting.")
    except (*AWS_ERRORS, StoreUnavailable, NotSent) as error:
        message = str(error).rstrip(".")
        if is_queue_missing(error):
            yield fail(part, message, "Create the queue, or correct its URL in the settings.")
        else:
            yield fail(part, message, "`manage.py doctor --help` lists the permissions that it needs.")
