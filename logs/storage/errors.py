"""What goes wrong with DynamoDB, as one tuple of errors and one exception."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

# AWS refused the request after all retries (throttling, no table, no permission), or did not answer.
AWS_ERRORS = (PynamoDBException, BotoCoreError, ClientError)
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
