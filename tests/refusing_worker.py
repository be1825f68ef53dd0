"""`python -m ingest.worker` where DynamoDB refuses one put in five: `python -m tests.refusing_worker`.

In the process itself, below all of PynamoDB and botocore, since a proxy would bear less load than the worker.
"""

import itertools
import json
import sys
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from ingest import worker
from logs.storage import dynamodb

REFUSE_EVERY = 5
REFUSED = "refused\n"

_puts = itertools.count(1)


class Refusal(AWSResponse):
    """What DynamoDB answers where it throttles."""

    @property
    def content(self) -> bytes:
        """Return the body."""
        kind = "com.amazonaws.dynamodb.v20120810#ThrottlingException"
        return json.dumps({"__type": kind, "message": "by the test"}).encode()


def refuse(request: AWSPreparedRequest, **_: Any) -> Refusal | None:
    """Answer a put in DynamoDB's place, and say so, or let it through."""
    if next(_puts) % REFUSE_EVERY:
        return None
    sys.stdout.write(REFUSED)
    sys.stdout.flush()
    headers: Any = {"Content-Type": "application/x-amz-json-1.0"}
    return Refusal(request.url, 400, headers, None)


if __name__ == "__main__":
    client: Any = dynamodb.shared_connection().client
    client.meta.events.register("before-send.dynamodb.PutItem", refuse)
    worker.main()
