"""Make the tables that the models declare, and tell where an existing one differs from its model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pynamodb.exceptions import TableError
from pynamodb.models import Model

TTL_OFF = "off"


class TableDiffers(Exception):
    """A table of that name exists, with other keys or indexes than the model's."""


@dataclass(frozen=True)
class Ensured:
    """What `ensure` found, made or changed."""

    name: str
    arn: str
    created: bool
    ttl_turned_on: bool


def ensure(model: type[Model]) -> Ensured:
    """Make the model's table with its indexes, on demand, with TTL on; of one that is there turn TTL on.

    Raises TableDiffers where a table of that name has other keys or indexes: neither can be changed in
    place, and reading with the wrong ones would miss rows. Raises PynamoDB's TableError and botocore's
    errors where DynamoDB refuses or is away.
    """
    name = model.Meta.table_name
    created = not model.exists()
    if created:
        model.create_table(wait=True)
    description = model.describe_table()
    if found := differences(model, description):
        raise TableDiffers(
            f"The table {name} exists, but not as {model.__name__} declares it: {'; '.join(found)}. "
            "Name another table in the settings, or move the data away and delete this one."
        )
    ttl_turned_on = not created and _enable_ttl(model)
    return Ensured(name, description["TableArn"], created, ttl_turned_on)


def differences(model: type[Model], description: Mapping[str, Any]) -> list[str]:
    """Return what differs between a model and DescribeTable's answer, a phrase each."""
    declared: dict[str, Any] = {**model._get_schema()}
    types = _types(declared["attribute_definitions"])
    expected = {"the primary key": _keys(declared["key_schema"], types)}
    for index in declared["global_secondary_indexes"]:
        expected[f"the index {index['index_name']}"] = _index(index["key_schema"], index["projection"], types)
    types = _types(description["AttributeDefinitions"])
    found = {"the primary key": _keys(description["KeySchema"], types)}
    for index in description.get("GlobalSecondaryIndexes", []):
        found[f"the index {index['IndexName']}"] = _index(index["KeySchema"], index["Projection"], types)
    return [
        f"{what} is {found.get(what, 'missing')} instead of {expected.get(what, 'none')}"
        for what in sorted(expected.keys() | found.keys())
        if expected.get(what) != found.get(what)
    ]


def _types(definitions: list[dict[str, str]]) -> dict[str, str]:
    return {definition["AttributeName"]: definition["AttributeType"] for definition in definitions}


def _keys(schema: list[dict[str, str]], types: dict[str, str]) -> str:
    keys = sorted(schema, key=_by_key_type)
    return ", ".join(
        f"{name} ({key['KeyType']}, {types[name]})" for key in keys for name in [key["AttributeName"]]
    )


def _by_key_type(key: dict[str, str]) -> str:
    return key["KeyType"]


def _index(schema: list[dict[str, str]], projection: Mapping[str, Any], types: dict[str, str]) -> str:
    attributes = ", ".join(sorted(projection.get("NonKeyAttributes", [])))
    return f"{_keys(schema, types)} with {projection['ProjectionType']} {attributes}".rstrip()


def ttl_difference(model: type[Model]) -> str | None:
    """Return what is wrong with the TTL of a model's table, or None. Raises botocore's errors."""
    attribute = model._ttl_attribute()
    if attribute is None:
        return None
    connection = model._get_connection()
    client: Any = connection.connection.client  # a botocore client: its operations are made at run time
    status = client.describe_time_to_live(TableName=connection.table_name)["TimeToLiveDescription"]
    if status["TimeToLiveStatus"] not in ("ENABLED", "ENABLING"):
        return TTL_OFF
    if status.get("AttributeName") != attribute.attr_name:
        return f"on {status.get('AttributeName')} instead of {attribute.attr_name}"
    return None


def _enable_ttl(model: type[Model]) -> bool:
    """Turn TTL on where it is off, and tell whether it was: AWS refuses to set it a second time."""
    attribute = model._ttl_attribute()
    difference = ttl_difference(model)
    if attribute is None or difference is None:
        return False
    connection = model._get_connection()
    if difference != TTL_OFF:
        raise TableError(f"TTL of the table {connection.table_name} is {difference}")
    connection.update_time_to_live(attribute.attr_name)
    return True
