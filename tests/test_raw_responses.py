"""The responses of Query, GetItem and BatchGetItem are parsed by `json.loads`, with botocore's results."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.parsers import JSONParser
from pynamodb.exceptions import QueryError

from logs import reader
from logs.filters import LogFilter
from logs.models import LogItem
from logs.plan import make_plan
from logs.storage import dynamodb, parts
from logs.storage.errors import StoreUnavailable
from logs.storage.raw_responses import UnexpectedContentType
from logs.storage.responses import InvalidResponse
from tests.items import make_item, store
from tests.response_server import Response, responding

pytestmark = pytest.mark.usefixtures("logs_table")

TABLE = LogItem.Meta.table_name
CAPACITY = {"TableName": TABLE, "CapacityUnits": 0.5}
NO_ITEMS = {"Items": [], "Count": 0, "ScannedCount": 0, "ConsumedCapacity": CAPACITY}
# An item with every type of DynamoDB, nested ones and the names of types as names.
ALL_TYPES: dict[str, Any] = {
    "id": {"S": "0" * 32},
    "status": {"S": "OK"},
    "created_at": {"S": "2026-11-01T00:00:00.000000+00:00"},
    "text": {"S": 'quotes "B" \\ emoji 😀 and \u0000\u2028'},
    "number": {"N": "123456789.000000001"},
    "binary": {"B": bytes(range(256))},
    "yes": {"BOOL": True},
    "nothing": {"NULL": True},
    "texts": {"SS": ["a"]},
    "numbers": {"NS": ["1"]},
    "binaries": {"BS": [b"\x00\xff"]},
    "list": {"L": [{"B": b"in a list"}, {"L": []}, {"M": {"B": {"B": b"in a map"}}}]},
    "map": {"M": {"B": {"S": "a name"}, "BS": {"BS": [b"1"]}, "S": {"M": {}}}},
    "B": {"S": "a name"},
    "BS": {"L": []},
}


def put(item: dict[str, Any]) -> None:
    client: Any = dynamodb.shared_connection().client
    client.put_item(TableName=TABLE, Item=item, ReturnConsumedCapacity="TOTAL")


def query(client: Any) -> dict[str, Any]:
    response: dict[str, Any] = client.query(
        TableName=TABLE,
        IndexName="SortingIndex",
        KeyConditionExpression="#status = :ok",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":ok": {"S": "OK"}},
        ReturnConsumedCapacity="TOTAL",
        Limit=2,
    )
    return response


def batch_get(client: Any, *ids: str) -> dict[str, Any]:
    response: dict[str, Any] = client.batch_get_item(
        RequestItems={TABLE: {"Keys": [{"id": {"S": log_id}} for log_id in ids]}},
        ReturnConsumedCapacity="TOTAL",
    )
    return response


def get(client: Any, log_id: str) -> dict[str, Any]:
    response: dict[str, Any] = client.get_item(
        TableName=TABLE, Key={"id": {"S": log_id}}, ReturnConsumedCapacity="TOTAL"
    )
    return response


def without_metadata(response: dict[str, Any]) -> dict[str, Any]:
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 200
    return {key: value for key, value in response.items() if key != "ResponseMetadata"}


def test_query_equals_plain_botocore() -> None:
    store(make_item(number, summary='"B"', document=b"\x00\xff") for number in range(3))

    response = query(dynamodb.shared_connection().client)

    assert without_metadata(response) == without_metadata(query(boto3.client("dynamodb")))
    assert len(response["Items"]) == 2
    assert response["LastEvaluatedKey"]


def test_batch_get_equals_plain_botocore() -> None:
    put(ALL_TYPES)

    response = batch_get(dynamodb.shared_connection().client, ALL_TYPES["id"]["S"])

    assert response["Responses"][TABLE] == [ALL_TYPES]
    assert without_metadata(response) == without_metadata(
        batch_get(boto3.client("dynamodb"), ALL_TYPES["id"]["S"])
    )


def test_get_item_equals_plain_botocore() -> None:
    put(ALL_TYPES)
    client, plain = dynamodb.shared_connection().client, boto3.client("dynamodb")

    for log_id in (ALL_TYPES["id"]["S"], "missing"):
        assert without_metadata(get(client, log_id)) == without_metadata(get(plain, log_id))
    assert get(client, ALL_TYPES["id"]["S"])["Item"] == ALL_TYPES


def test_botocore_parses_an_empty_body(monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = []
    parse = JSONParser.parse

    def record(self: JSONParser, response: dict[str, Any], shape: Any) -> Any:
        bodies.append(response["body"])
        return parse(self, response, shape)

    monkeypatch.setattr(JSONParser, "parse", record)
    store([make_item()])
    bodies.clear()
    query(dynamodb.shared_connection().client)
    batch_get(dynamodb.shared_connection().client, make_item().id)

    assert bodies == [b"{}", b"{}"]


def test_large_log_is_read_with_its_parts() -> None:
    document = b"z" + bytes(range(256)) * 4_000
    item = make_item(document=document)
    item.document = parts.save(item)
    item.save()

    read = LogItem.get(item.id)
    parts.join(read)

    assert read.document == document


def test_error_response_keeps_its_code() -> None:
    with pytest.raises(ClientError) as error:
        dynamodb.shared_connection().client._make_api_call(
            "Query",
            {
                "TableName": "NoTable",
                "KeyConditionExpression": "id = :id",
                "ExpressionAttributeValues": {":id": {"S": ""}},
            },
        )
    assert error.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_throttling_is_retried_and_keeps_its_code() -> None:
    throttled = Response({"__type": "#ThrottlingException", "message": "slow down"}, status=400)
    with responding(throttled) as server, pytest.raises(QueryError) as error:
        next(LogItem.sorting_index.query("OK").page_iter)
    assert error.value.cause_response_code == "ThrottlingException"
    assert len(server.requests) == 3


def test_first_response_after_throttling_is_read() -> None:
    throttled = Response({"__type": "#ThrottlingException", "message": "slow down"}, status=400)
    with responding(throttled, Response(NO_ITEMS)):
        assert list(LogItem.sorting_index.query("OK")) == []


@pytest.mark.parametrize("content_type", ["application/cbor", "text/html", None])
def test_other_content_type_is_named(content_type: str | None) -> None:
    response = Response(NO_ITEMS, content_type=content_type)
    with responding(response), pytest.raises(UnexpectedContentType) as error:
        query(dynamodb.shared_connection().client)
    assert str(error.value) == (
        f"the response to Query has the content type {content_type or 'none'}, not application/x-amz-json-1.0"
    )


def test_charset_of_the_content_type_is_ignored() -> None:
    content_type = "application/x-amz-json-1.0; charset=utf-8"
    response = Response(NO_ITEMS, content_type=content_type)
    with responding(response):
        assert list(LogItem.sorting_index.query("OK")) == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"Items": [',
        b'{"Items": ["\xff"]}',
        b"[]",
        b"null",
        b"",
        json.dumps({"Items": [{"document": {"B": "no base64"}}], "ConsumedCapacity": CAPACITY}).encode(),
        b'{"Items": null, "ConsumedCapacity": {}}',
        b'{"Items": []}',
    ],
)
def test_invalid_body_is_an_invalid_response(body: bytes) -> None:
    with responding(Response(body)), pytest.raises(InvalidResponse):
        query(dynamodb.shared_connection().client)


def test_reader_is_unavailable_for_another_protocol() -> None:
    response = Response(NO_ITEMS, content_type="application/cbor")
    with responding(response), pytest.raises(StoreUnavailable, match="the content type application/cbor"):
        reader.read_page(make_plan(LogFilter()), None, 10)


@pytest.mark.parametrize(
    "body", [{"Responses": {}}, {"UnprocessedKeys": {}}, {"Responses": {}, "UnprocessedKeys": None}]
)
def test_incomplete_batch_is_an_invalid_response(body: dict[str, Any]) -> None:
    with responding(Response(body)), pytest.raises(InvalidResponse):
        batch_get(dynamodb.shared_connection().client, make_item().id)


def test_batch_without_capacity_is_read() -> None:
    with responding(Response({"Responses": {TABLE: []}, "UnprocessedKeys": {}})):
        assert batch_get(dynamodb.shared_connection().client, make_item().id)["Responses"] == {TABLE: []}


def test_null_member_is_omitted() -> None:
    with responding(Response({**NO_ITEMS, "LastEvaluatedKey": None})):
        assert "LastEvaluatedKey" not in query(dynamodb.shared_connection().client)
