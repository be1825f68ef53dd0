"""What goes wrong with DynamoDB, in words for whoever typed the command."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from django.core.management.base import CommandError
from pynamodb.exceptions import PynamoDBException


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn what PynamoDB and botocore raise inside into CommandError."""
    try:
        yield
    except (PynamoDBException, BotoCoreError, ClientError) as error:
        if getattr(error, "cause_response_code", None) == "ResourceNotFoundException":
            raise CommandError("Its table is missing. Run: manage.py create_tables") from error
        raise CommandError(f"DynamoDB: {error}") from error
