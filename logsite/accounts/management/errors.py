"""AWS's errors as CommandError, which prints one line instead of a stack trace."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError

from logs.storage.errors import AWS_ERRORS


@contextmanager
def aws_errors_as_command_errors() -> Iterator[None]:
    """Raise CommandError for an error of PynamoDB or botocore in the block."""
    try:
        yield
    except AWS_ERRORS as error:
        if getattr(error, "cause_response_code", None) == "ResourceNotFoundException":
            raise CommandError("The table does not exist. Run: manage.py create_tables") from error
        raise CommandError(f"DynamoDB: {error}") from error
