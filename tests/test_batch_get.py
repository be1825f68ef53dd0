"""BatchGetItem for any number of keys: batches of 100, unprocessed keys, backoff."""

import threading
import time
from typing import Any

import pytest

from logs.filters import LogFilter
from logs.models import LogItem
from logs.plan import make_plan
from logs.reading.budget import Budget
from logs.reading.page import PageRead
from logs.reading.whole_logs import WholeLogs
from logs.storage import dynamodb
from logs.storage.dynamodb import KeysUnprocessed, Usage, batch_get_all
from logs.storage.errors import AWS_ERRORS
from tests.dynamodb_calls import counted_calls
from tests.items import make_item, store
from tests.proxy import proxied
from tests.response_server import Response, responding

TABLE = LogItem.Meta.table_name


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Replace the waits by a list of their seconds."""
    seconds: list[float] = []
    monkeypatch.setattr(time, "sleep", seconds.append)
    return seconds


def keys(*numbers: int) -> list[dict[str, str]]:
    return [{"id": make_item(number).id} for number in numbers]


def partial_response(processed: range, unprocessed: range) -> Response:
    """Return a response with the items of `processed`, and the keys of `unprocessed`."""
    raw_keys = [{"id": {"S": key["id"]}} for key in keys(*unprocessed)]
    body: dict[str, Any] = {
        "Responses": {TABLE: [make_item(number).serialize() for number in processed]},
        "UnprocessedKeys": {TABLE: {"Keys": raw_keys}} if raw_keys else {},
        "ConsumedCapacity": [{"TableName": TABLE, "CapacityUnits": 0.5}],
    }
    return Response(body)


@pytest.mark.usefixtures("logs_table")
def test_existing_items_of_all_keys_are_returned() -> None:
    store(make_item(number) for number in range(230))
    usage = Usage()

    with counted_calls() as counts:
        items = batch_get_all(LogItem, keys(*range(250)), usage=usage)

    assert {item["id"]["S"] for item in items} == {make_item(number).id for number in range(230)}
    assert counts == {"BatchGetItem": 3}
    assert usage.requests == 3
    assert usage.read_units == 125  # a missing item costs as much as a small one


def test_no_keys_send_no_request() -> None:
    with counted_calls() as counts:
        assert batch_get_all(LogItem, []) == []
    assert not counts


@pytest.mark.parametrize("consistent", [True, False])
def test_consistency_reaches_dynamodb(consistent: bool) -> None:
    with responding(partial_response(range(1), range(0))) as server:
        batch_get_all(LogItem, keys(0), consistent=consistent)
    assert server.requests[0]["RequestItems"][TABLE].get("ConsistentRead", False) is consistent


def test_unprocessed_keys_are_requested_again(waits: list[float]) -> None:
    responses = [partial_response(range(60), range(60, 100)), partial_response(range(60, 100), range(0))]
    with responding(*responses) as server:
        items = batch_get_all(LogItem, keys(*range(100)))
    assert len({item["id"]["S"] for item in items}) == 100
    assert len(server.requests[1]["RequestItems"][TABLE]["Keys"]) == 40
    assert [0.025 <= seconds <= 0.05 for seconds in waits] == [True]


def test_unprocessed_keys_join_the_next_batch(waits: list[float]) -> None:
    responses = [partial_response(range(90), range(90, 100)), partial_response(range(90, 150), range(0))]
    with responding(*responses) as server:
        items = batch_get_all(LogItem, keys(*range(150)))
    assert len(items) == 150
    assert len(server.requests[1]["RequestItems"][TABLE]["Keys"]) == 60


def test_waits_grow_until_the_error(waits: list[float]) -> None:
    with responding(partial_response(range(0), range(2))) as server, pytest.raises(KeysUnprocessed) as error:
        batch_get_all(LogItem, keys(0, 1))
    assert isinstance(error.value, AWS_ERRORS)
    assert str(error.value) == "DynamoDB left 2 keys of BatchGetItem unprocessed in 8 requests in a row"
    assert len(server.requests) == dynamodb.MAX_IDLE_REQUESTS
    assert 0.05 <= waits[0] <= 0.1
    assert 0.5 <= waits[-1] <= 1


@pytest.mark.usefixtures("logs_table")
def test_search_sends_its_batches_at_once() -> None:
    store(make_item(number) for number in range(250))
    read = PageRead(make_plan(LogFilter()), Budget())
    all_at_once = threading.Barrier(3, timeout=5)

    def wait(operation: str) -> None:
        if operation == "BatchGetItem":
            all_at_once.wait()

    with proxied(wait):
        logs = WholeLogs(read).fetch([make_item(number).id for number in range(250)])

    assert len(logs) == 250
    assert read.cost.queries == 3
    assert read.cost.read_units == 125
