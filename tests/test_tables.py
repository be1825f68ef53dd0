"""`manage.py create_tables` creates missing tables and does not change existing ones."""

import os
from collections.abc import Iterator
from importlib import import_module
from io import StringIO
from typing import Any

import boto3
import pytest
from django.core.management import CommandError, call_command
from pynamodb.models import Model

from logs.models import CONTEXT_FIELDS, PROJECTED, LogItem
from logs.storage.dynamodb import shared_connection
from tests.items import make_item

INDEX_KEYS = {
    "AccountIndex": ["account_id", "created_at"],
    "TypeIndex": ["type", "created_at"],
    "AccountTypeIndex": ["account_id#type", "created_at"],
    "SortingIndex": ["status", "created_at"],
    "UserIndex": ["user_key", "created_at"],
    "ObjectIndex": ["object_key", "created_at"],
}


@pytest.fixture
def dynamodb() -> Any:
    """Return a plain boto3 client, to read the table without our own models."""
    return boto3.client("dynamodb")


@pytest.fixture
def table_name(monkeypatch: pytest.MonkeyPatch, dynamodb: Any) -> Iterator[str]:
    """Yield the name of a table that does not exist. Delete the table after the test."""
    name = "LogsTableOfThisTest"
    monkeypatch.setattr(LogItem.Meta, "table_name", name)
    yield name
    if name in dynamodb.list_tables()["TableNames"]:
        dynamodb.delete_table(TableName=name)


def create_tables() -> str:
    output = StringIO()
    call_command("create_tables", stdout=output)
    return output.getvalue()


def test_create_tables_creates_the_designed_table(table_name: str, dynamodb: Any) -> None:
    create_tables()
    table = dynamodb.describe_table(TableName=table_name)["Table"]
    assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert {definition["AttributeType"] for definition in table["AttributeDefinitions"]} == {"S"}
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    indexes = {index["IndexName"]: index for index in table["GlobalSecondaryIndexes"]}
    assert indexes.keys() == INDEX_KEYS.keys()
    for name, keys in INDEX_KEYS.items():
        assert [key["AttributeName"] for key in indexes[name]["KeySchema"]] == keys
        assert [key["KeyType"] for key in indexes[name]["KeySchema"]] == ["HASH", "RANGE"]
        projection = indexes[name]["Projection"]
        assert projection["ProjectionType"] == "INCLUDE"
        assert set(projection["NonKeyAttributes"]) == set(PROJECTED) - set(keys)
    ttl = dynamodb.describe_time_to_live(TableName=table_name)["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}


def test_projections_stay_below_the_limits_of_dynamodb(table_name: str, dynamodb: Any) -> None:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html

    A name counts in each index. Most emulators accept any number. Our own limit of 16 names includes the keys
    of the index and the key of the table.
    """
    create_tables()
    table = dynamodb.describe_table(TableName=table_name)["Table"]
    projected = {
        index["IndexName"]: index["Projection"]["NonKeyAttributes"]
        for index in table["GlobalSecondaryIndexes"]
    }
    assert projected.keys() == INDEX_KEYS.keys()
    for name, attributes in projected.items():
        assert len({*attributes, *INDEX_KEYS[name], "id"}) <= 16
    assert sum(map(len, projected.values())) <= 100


@pytest.mark.parametrize("index", INDEX_KEYS)
def test_context_is_projected_whole(table_name: str, dynamodb: Any, index: str) -> None:
    """A dotted name such as `context.summary` would be accepted, and project nothing."""
    assert not [name for name in PROJECTED if "." in name]
    create_tables()
    context: dict[str, Any] = {name: f"the {name}" for name in CONTEXT_FIELDS}
    item = make_item(**context)
    item.save()
    attributes = item.serialize()
    key = INDEX_KEYS[index][0]

    [row] = dynamodb.query(
        TableName=table_name,
        IndexName=index,
        KeyConditionExpression="#key = :key",
        FilterExpression="#context.request_id = :request_id",
        ExpressionAttributeNames={"#key": key, "#context": "context"},
        ExpressionAttributeValues={":key": attributes[key], ":request_id": {"S": "the request_id"}},
    )["Items"]

    assert row["context"] == attributes["context"]
    assert row["context"]["M"].keys() == set(CONTEXT_FIELDS)


def test_payload_is_in_no_index() -> None:
    assert not {"payload", "document"} & set(PROJECTED)


def test_create_tables_twice_changes_nothing(table_name: str) -> None:
    assert f"{table_name}: created" in create_tables()
    make_item().save()
    assert f"{table_name}: exists (" in create_tables()
    assert LogItem.get(make_item().id).account_id == "7"


def test_create_tables_prints_endpoint_and_region(table_name: str, dynamodb_engine: str) -> None:
    output = create_tables()
    assert f"endpoint: {dynamodb_engine}" in output
    assert "region: us-east-1" in output
    assert "account" in output


@pytest.mark.parametrize(
    ("key", "kind", "difference"),
    [
        ("id", "N", "the primary key is id (HASH, N) instead of id (HASH, S)"),
        ("uuid", "S", "the primary key is uuid (HASH, S) instead of id (HASH, S)"),
        ("id", "S", "the index SortingIndex is missing instead of"),
    ],
)
def test_table_with_other_keys_or_indexes_is_rejected(
    table_name: str, dynamodb: Any, key: str, kind: str, difference: str
) -> None:
    dynamodb.create_table(
        TableName=table_name,
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind}],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(CommandError) as error:
        create_tables()
    assert table_name in str(error.value)
    assert difference in str(error.value)


def test_ttl_is_turned_on_if_it_was_off(table_name: str, dynamodb: Any) -> None:
    create_tables()
    dynamodb.update_time_to_live(
        TableName=table_name,
        TimeToLiveSpecification={"Enabled": False, "AttributeName": "expires_at"},
    )
    assert f"{table_name}: exists, TTL turned on (" in create_tables()
    ttl = dynamodb.describe_time_to_live(TableName=table_name)["TimeToLiveDescription"]
    assert ttl["TimeToLiveStatus"] == "ENABLED"


def test_tables_share_one_client() -> None:
    import_module("logsite.dead_letters.claims")  # the only model that no table command loads
    tables = Model.__subclasses__()
    assert len(tables) == 13
    clients = {id(table._get_connection().connection.client) for table in tables}
    assert clients == {id(shared_connection().client)}


def test_unreachable_engine_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")
    monkeypatch.setattr(shared_connection(), "_client", None)
    with pytest.raises(CommandError, match=r"^Logs\w+: .*127\.0\.0\.1:9"):
        create_tables()
