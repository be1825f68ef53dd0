"""A pytest plugin: queues and a Lambda API, connected as in a deployment."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import boto3
import pytest
from pynamodb.models import Model

from ingest.wire import sqs
from ingest.worker import Worker
from logs import times
from logs.models import LogItem
from logs.storage.digest_items import DigestItem
from tests.doctor import DAY, queue_arn, set_queue
from tests.lambda_server import Lambda, serving
from tests.queues import Queues


@pytest.fixture
def queue_pair(queues: Queues) -> Queues:
    """Connect the two queues as a deployment does; return them."""
    policy = {"deadLetterTargetArn": queue_arn(queues, queues.dead_letter_url), "maxReceiveCount": 5}
    set_queue(queues, queues.url, VisibilityTimeout="361", RedrivePolicy=json.dumps(policy))
    set_queue(queues, queues.dead_letter_url, MessageRetentionPeriod=str(14 * DAY))
    return queues


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lambda]:
    """Serve a Lambda API and set its endpoint."""
    with serving() as api:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", api.endpoint)
        yield api


@pytest.fixture
def mapping(queue_pair: Queues, functions: Lambda) -> dict[str, Any]:
    """Map the queue to a writer as a deployment does; return the mapping."""
    function = "arn:aws:lambda:us-east-1:123456789012:function:logsite-dev-writer"
    variables = {"LOGS_TABLE": LogItem.Meta.table_name}
    functions.functions[function] = {"Timeout": 60, "Environment": {"Variables": variables}}
    mapping = {
        "UUID": "the-mapping",
        "EventSourceArn": queue_arn(queue_pair, queue_pair.url),
        "FunctionArn": function,
        "State": "Enabled",
        "MaximumBatchingWindowInSeconds": 1,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }
    functions.mappings.append(mapping)
    return mapping


@pytest.fixture
def finished_run(logs_table: None) -> Iterator[None]:
    """Let the builder of digests have finished a run."""
    state = DigestItem("builder", "state", written_at=times.to_text(datetime.now(UTC)))
    state.save()
    yield
    state.delete()


@pytest.fixture
def worker(queue_pair: Queues) -> Iterator[Worker]:
    """Run a writer beside the test."""
    worker = Worker(sqs.client(), queue_pair.url, wait=1)
    thread = threading.Thread(target=worker.run)
    thread.start()
    yield worker
    worker.stop()
    thread.join(10)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[type[Model]], str]]:
    """Return a function that sets an empty table without indexes as a model's table."""
    client = boto3.client("dynamodb")
    created: list[str] = []

    def create(model: type[Model]) -> str:
        name = f"Bare{uuid4().hex}"
        [key] = [
            attribute.attr_name for attribute in model.get_attributes().values() if attribute.is_hash_key
        ]
        client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        created.append(name)
        monkeypatch.setattr(model.Meta, "table_name", name)
        return name

    yield create
    for name in created:
        client.delete_table(TableName=name)
