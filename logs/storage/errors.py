"""The errors of DynamoDB, as one tuple and one exception."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

# AWS refused the request after all retries (throttling, no table, no permission), or did not answer.
AWS_ERRORS = (PynamoDBException, BotoCoreError, ClientError)
# The code of a write whose condition is not fulfilled.
CONDITION_FAILED = "ConditionalCheckFailedException"
# The log line of a page that has no answer. The runbook quotes it.
UNAVAILABLE = "DynamoDB is unavailable: %s"


class StoreUnavailable(Exception):
    """DynamoDB refused the request, did not answer in time, or has no such table."""


@contextmanager
def store_unavailable() -> Iterator[None]:
    """Raise StoreUnavailable instead of any error of DynamoDB, PynamoDB or botocore, or a timeout."""
    try:
        yield
    except (*AWS_ERRORS, TimeoutError) as error:
        raise StoreUnavailable(str(error)) from error


def is_written(write: Callable[[], object]) -> bool:
    """Send a conditional write of PynamoDB; return whether its condition is fulfilled.

    Raises PynamoDB's other errors, and botocore's.
    """
    try:
        write()
    except PynamoDBException as error:
        if error.cause_response_code != CONDITION_FAILED:
            raise
        return False
    return True
