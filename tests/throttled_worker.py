"""`python -m ingest.worker` while DynamoDB throttles one write in five: `python -m tests.throttled_worker`.

A write is a put, a statement of a batch, or a request with late items. One process in two has no INSERT
statements.

The throttling is inside the process, below PynamoDB and botocore, because a proxy is slower than the worker.
"""

import itertools
import json
import os
import sys
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from ingest import worker
from ingest.writing import inserts
from logs.storage import dynamodb

THROTTLE_EVERY = 5
THROTTLED = "throttled\n"

_writes = itertools.count(1)


class ThrottlingResponse(AWSResponse):
    """DynamoDB's response to a throttled request."""

    @property
    def content(self) -> bytes:
        """Return the body of the response."""
        kind = "com.amazonaws.dynamodb.v20120810#ThrottlingException"
        return json.dumps({"__type": kind, "message": "by the test"}).encode()


def is_throttled() -> bool:
    """Return whether the next write is throttled, and print that."""
    if next(_writes) % THROTTLE_EVERY:
        return False
    sys.stdout.write(THROTTLED)
    sys.stdout.flush()
    return True


def throttle(request: AWSPreparedRequest, **_: Any) -> ThrottlingResponse | None:
    """Return a throttling response to a request, or None to forward the request."""
    if not is_throttled():
        return None
    headers: Any = {"Content-Type": "application/x-amz-json-1.0"}
    return ThrottlingResponse(request.url, 400, headers, None)


def remove_statements(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    """Remove the throttled statements from a batch, but not all."""
    throttled = [index for index in range(1, len(params["Statements"])) if is_throttled()]
    context["throttled"] = throttled
    params["Statements"] = [each for index, each in enumerate(params["Statements"]) if index not in throttled]


def add_errors(parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    """Add the responses to the statements that were removed."""
    for index in context["throttled"] if "Responses" in parsed else []:
        parsed["Responses"].insert(index, {"Error": {"Code": "ThrottlingError", "Message": "by the test"}})


if __name__ == "__main__":
    client: Any = dynamodb.shared_connection().client
    inserts.ENGINE.has_inserts = os.getpid() % 2 == 0
    events = client.meta.events
    events.register("before-send.dynamodb.PutItem", throttle)
    events.register("before-send.dynamodb.BatchWriteItem", throttle)
    events.register("before-parameter-build.dynamodb.BatchExecuteStatement", remove_statements)
    events.register("after-call.dynamodb.BatchExecuteStatement", add_errors)
    worker.main()
