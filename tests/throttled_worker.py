"""`python -m ingest.worker` while DynamoDB throttles one put in five: `python -m tests.throttled_worker`.

The throttling is inside the process, below PynamoDB and botocore, because a proxy is slower than the worker.
"""

import itertools
import json
import sys
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from ingest import worker
from logs.storage import dynamodb

THROTTLE_EVERY = 5
THROTTLED = "throttled\n"

_puts = itertools.count(1)


class ThrottlingResponse(AWSResponse):
    """DynamoDB's response to a throttled request."""

    @property
    def content(self) -> bytes:
        """Return the body of the response."""
        kind = "com.amazonaws.dynamodb.v20120810#ThrottlingException"
        return json.dumps({"__type": kind, "message": "by the test"}).encode()


def throttle(request: AWSPreparedRequest, **_: Any) -> ThrottlingResponse | None:
    """Return a throttling response to a put, or None to forward the put."""
    if next(_puts) % THROTTLE_EVERY:
        return None
    sys.stdout.write(THROTTLED)
    sys.stdout.flush()
    headers: Any = {"Content-Type": "application/x-amz-json-1.0"}
    return ThrottlingResponse(request.url, 400, headers, None)


if __name__ == "__main__":
    client: Any = dynamodb.shared_connection().client
    client.meta.events.register("before-send.dynamodb.PutItem", throttle)
    worker.main()
