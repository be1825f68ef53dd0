"""Running `manage.py doctor`, and changing the queues that it checks."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.queues import Queues

DAY = 86_400


def queue_arn(queues: Queues, url: str) -> str:
    """Return the ARN of one of the queues."""
    response = queues.client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return response["Attributes"]["QueueArn"]


def set_queue(queues: Queues, url: str, **attributes: str) -> None:
    """Change the attributes of a queue."""
    queues.client.set_queue_attributes(QueueUrl=url, Attributes=attributes)  # type: ignore[arg-type]  # literal names


def run_doctor(timeout: float = 20, **options: Any) -> list[str]:
    """Return the output lines for a site without faults."""
    output = StringIO()
    call_command("doctor", timeout=timeout, stdout=output, **options)
    return output.getvalue().splitlines()


def faults(timeout: float = 0.01) -> list[str]:
    """Return the lines of failed checks.

    The round trip is left out, because it fails without a writer.
    """
    output = StringIO()
    with pytest.raises(CommandError, match=r"^\d+ of \d+ checks failed\.$"):
        call_command("doctor", timeout=timeout, stdout=output)
    lines = [line for line in output.getvalue().splitlines() if line.startswith("FAIL")]
    return [line for line in lines if "is not readable after" not in line]
