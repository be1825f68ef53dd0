"""Where DynamoDB is: on AWS, or at an endpoint of one's own. Standard library only."""

import os


def dynamodb() -> str | None:
    """Return the endpoint that botocore will use instead of AWS, or None."""
    return os.environ.get("AWS_ENDPOINT_URL_DYNAMODB") or os.environ.get("AWS_ENDPOINT_URL") or None


def refusal(*, debug: bool) -> str | None:
    """Say why DynamoDB must not be called, or return None where it may.

    Real keys in a developer's shell and a bare `runserver` must not reach production: with DEBUG on,
    AWS itself takes a word more than credentials.
    """
    if not debug or dynamodb() or os.environ.get("LOGS_ALLOW_AWS") == "1":
        return None
    return (
        "DEBUG is on and AWS_ENDPOINT_URL_DYNAMODB is not set, so this would talk to AWS itself. "
        "Run `make run` for a local stack, or name an engine in AWS_ENDPOINT_URL_DYNAMODB, "
        "or set LOGS_ALLOW_AWS=1 if AWS is what you mean."
    )
