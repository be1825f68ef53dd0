"""Retries of transient errors, bounded by the time that an invocation has left."""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from botocore import exceptions as botocore
from botocore.exceptions import ClientError
from pynamodb.exceptions import PynamoDBException

from ingest.wire.backoff import backoff
from logs.storage.errors import AWS_ERRORS

T = TypeVar("T")

# A request of PynamoDB takes at most 9 s (`logs.models.TableMeta`): no attempt starts with less time left.
RESERVE_SECONDS = 10.0
FIRST_DELAY_SECONDS, MAX_DELAY_SECONDS = 0.2, 5.0

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
TRANSIENT_ERRORS = {
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionConflictException",
    # Of a statement in a batch:
    # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchStatementError.html
    "ProvisionedThroughputExceeded",
    "ThrottlingError",
    "TransactionConflict",
    # The emulator MiniStack omits the end of an error's name.
    "LimitExceeded",
    "Throttling",
}


class OutOfTime(Exception):
    """The invocation has too little time left for this message. SQS redelivers it."""

    def __str__(self) -> str:
        return str(self.__doc__)


class Deadline:
    """The end of an invocation. Without a Lambda context, there is time for one attempt."""

    def __init__(self, context: Any) -> None:
        self._remaining_milliseconds: Callable[[], int] | None = getattr(
            context, "get_remaining_time_in_millis", None
        )

    def remaining(self) -> float:
        """Return the seconds until the deadline."""
        return self._remaining_milliseconds() / 1000 if self._remaining_milliseconds else RESERVE_SECONDS

    def has_time(self) -> bool:
        """Return whether there is time for a request."""
        return self.remaining() >= RESERVE_SECONDS

    def retry(self, call: Callable[[], T], *, is_checked: bool = False) -> T:
        """Return the result of `call`, retried with backoff after each transient error.

        Raise OutOfTime if there is no time for a first attempt, unless the caller has checked that. Raise the
        call's own error if it is permanent or if there is no time for another attempt.
        """
        if not is_checked and not self.has_time():
            raise OutOfTime
        for delay in backoff(FIRST_DELAY_SECONDS, MAX_DELAY_SECONDS):
            try:
                return call()
            except AWS_ERRORS as error:
                if not is_transient(error) or self.remaining() - delay < RESERVE_SECONDS:
                    raise
            time.sleep(delay)
        raise AssertionError("backoff() never ends")


def client_error(error: Mapping[str, str], operation: str) -> ClientError:
    """Return the error of a part of a request. `error` has a code and a message."""
    return ClientError({"Error": {"Code": error["Code"], "Message": error.get("Message", "")}}, operation)


def unprocessed(operation: str) -> ClientError:
    """Return a transient error for an unprocessed part of a request."""
    message = "DynamoDB did not process a part of the request"
    return client_error({"Code": "ThrottlingException", "Message": message}, operation)


def is_transient(error: BaseException | None) -> bool:
    """Return whether a retry may help.

    It may after throttling, an internal error of DynamoDB, a failed connection and a timeout.
    """
    if isinstance(error, PynamoDBException):
        return is_transient(error.cause)
    if isinstance(error, ClientError):
        return error.response["Error"].get("Code") in TRANSIENT_ERRORS
    return isinstance(error, botocore.ConnectionError | botocore.HTTPClientError)
