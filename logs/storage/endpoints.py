"""Where DynamoDB is: on AWS or at a local endpoint. Standard library only."""

import os
from urllib.parse import urlsplit

AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


def dynamodb() -> str | None:
    """Return the endpoint that botocore uses instead of AWS, or None."""
    return os.environ.get("AWS_ENDPOINT_URL_DYNAMODB") or os.environ.get("AWS_ENDPOINT_URL") or None


def is_local() -> bool:
    """Return whether DynamoDB is a local engine."""
    endpoint = dynamodb()
    return endpoint is not None and not (urlsplit(endpoint).hostname or "").endswith(AWS_DOMAINS)


def refusal(*, debug: bool) -> str | None:
    """Return why DynamoDB must not be called, or None.

    Real keys in a developer's shell and a bare `runserver` must not reach production. With DEBUG on, AWS
    needs an explicit setting.
    """
    if not debug or dynamodb() or os.environ.get("LOGS_ALLOW_AWS") == "1":
        return None
    return (
        "DEBUG is on and AWS_ENDPOINT_URL_DYNAMODB is not set, so this would talk to AWS itself. "
        "Run `make run` for a local stack, or name an engine in AWS_ENDPOINT_URL_DYNAMODB, "
        "or set LOGS_ALLOW_AWS=1 to use AWS."
    )
