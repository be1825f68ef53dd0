"""How long an invocation goes on trying: what may pass is tried again while time remains."""

import random
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from botocore import exceptions as botocore
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

T = TypeVar("T")

# One try of PynamoDB takes 9 s at most (`logs.models.TableMeta`): none begins with less left than that.
RESERVE_SECONDS = 10.0
FIRST_PAUSE, MAX_PAUSE = 0.2, 5.0
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
PASSING = {
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionConflictException",
}


class OutOfTime(Exception):
    """The invocation ends before this message's turn came: SQS delivers it again."""

    def __str__(self) -> str:
        return str(self.__doc__)


class Patience:
    """What is left of an invocation's time. Without a Lambda context that is time for one try."""

    def __init__(self, context: Any) -> None:
        self._millis: Callable[[], int] | None = getattr(context, "get_remaining_time_in_millis", None)

    def left(self) -> float:
        """Return the seconds that are left."""
        return self._millis() / 1000 if self._millis else RESERVE_SECONDS

    def keep_trying(self, call: Callable[[], T]) -> T:
        """Call until nothing is raised that may pass, or until no time is left; return the result.

        Raises what the call raises, and OutOfTime where there is no time for a first try.
        """
        if self.left() < RESERVE_SECONDS:
            raise OutOfTime
        for pause in _pauses():
            try:
                return call()
            except (BotoCoreError, ClientError, PynamoDBException) as error:
                if not may_pass(error) or self.left() - pause < RESERVE_SECONDS:
                    raise
            time.sleep(pause)
        raise AssertionError("the pauses never end")


def may_pass(error: BaseException | None) -> bool:
    """Tell whether trying again may help: throttling, DynamoDB's own errors, no connection, no answer."""
    if isinstance(error, PynamoDBException):
        return may_pass(error.cause)
    if isinstance(error, ClientError):
        return error.response["Error"].get("Code") in PASSING
    return isinstance(error, botocore.ConnectionError | botocore.HTTPClientError)


def _pauses() -> Iterator[float]:
    """Give the seconds to wait after each failure: longer each time, and not all messages equally long."""
    pause = FIRST_PAUSE
    while True:
        yield pause * random.uniform(0.5, 1)  # noqa: S311  no secret
        pause = min(MAX_PAUSE, pause * 2)
